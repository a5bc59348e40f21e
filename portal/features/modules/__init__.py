"""Modules of the portal, on and off by project."""
