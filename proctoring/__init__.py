"""Webcam snapshots and their proctors: the folder of a part that is still to be built."""
