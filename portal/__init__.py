"""Staff: what a person can do before, during and after a sitting."""
