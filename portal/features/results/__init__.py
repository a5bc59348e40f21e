"""A person's published results over time, and the log of tests that he made and held."""
