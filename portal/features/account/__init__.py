"""Signing in and out, the own sessions, the language."""
