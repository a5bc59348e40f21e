"""Candidates: sign-in, bundles, keys, saves, finish, re-entry. Imports infra alone."""
