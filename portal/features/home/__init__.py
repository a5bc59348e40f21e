"""The first page after sign-in: what runs, what comes, what waits; health for machines."""
