"""The outbox: what was written to whom, what waits, what was given up and why."""
