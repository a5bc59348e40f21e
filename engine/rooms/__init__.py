"""Room codes: the key's second channel, for the minutes in which the start service is down (docs/decisions/0041)."""
