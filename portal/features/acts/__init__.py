"""The second person's page: what waits, what it changes, do or refuse."""
