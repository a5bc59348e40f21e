"""Giving time back in Postgres."""
