"""A person's own card: what the registry holds of him, for himself."""
