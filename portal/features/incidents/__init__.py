"""What staff tell the public on the status page, beside what the system says of itself."""
