"""A sitting while it runs: who is where, what is silent, and what staff tell players."""
