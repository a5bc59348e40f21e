"""Other systems: those that keep logins in step by a token of their own, and those that are told of changes (SAFETY P4)."""
