"""Receipts checked, and rescue files taken in by two persons."""
