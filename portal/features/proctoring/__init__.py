"""The proctors' rooms: the wall of the children in one's hands, one child's time line, verdicts, the review of them."""
