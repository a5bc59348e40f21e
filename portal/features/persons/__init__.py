"""The registry: one base of persons for three projects."""
