"""Who is attached to whom: teacher, tutor, assistant, specialist, coordinator, parent, guardian."""
