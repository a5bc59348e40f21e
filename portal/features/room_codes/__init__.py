"""Room codes of a sitting: for the supervisors of rooms when the start service is down (SAFETY M1)."""
