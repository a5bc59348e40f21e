"""Sittings: made, their clock rehearsed, published, closed."""
