"""Signing in with an account of another site: the providers as data, the way there and back, linking."""
