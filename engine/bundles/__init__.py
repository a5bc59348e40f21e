"""Bundles: packed and encrypted ahead of time, served by name for ever."""
