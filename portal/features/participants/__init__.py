"""Pupils of a sitting: imported, found, helped."""
