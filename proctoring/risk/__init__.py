"""A score that orders the wall, and its reasons. It decides nothing: a person looks, and says why."""
