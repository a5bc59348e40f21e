"""Results: scoring runs, their figures, rankings, downloads, publication by two persons."""
