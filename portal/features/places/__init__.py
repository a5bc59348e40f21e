"""Where people learn: the tree of the territory down to settlements, schools and centres, and their classes."""
