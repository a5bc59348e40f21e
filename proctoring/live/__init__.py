"""Live view of one child: packets go from the phone to one viewer as they are, nothing is decoded and nothing is kept."""
