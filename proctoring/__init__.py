"""Proctoring: pictures come in, lie in segments, are looked at by a person, and are erased."""
