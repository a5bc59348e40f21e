"""Photos of persons: taken in, cut square, shown to who may open the card."""
