"""The server's checks of a sample: numbers, never a trait, and never a verdict (SAFETY D6)."""
