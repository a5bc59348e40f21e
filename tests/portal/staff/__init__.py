"""Tests of staff and roles."""
