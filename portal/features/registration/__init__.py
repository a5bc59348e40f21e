"""People who register by themselves: the ways in, the consent of a parent, the confirmation of a class teacher, the own page."""
