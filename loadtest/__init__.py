"""Simulated pupils over the real HTTP interface: for the demo, for tests, for measuring. Knows the wire and nothing else."""
