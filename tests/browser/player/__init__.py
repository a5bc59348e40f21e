"""The player's own browser tests: against a peer that can fail in every way, and once on the real engine."""
