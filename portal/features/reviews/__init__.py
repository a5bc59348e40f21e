"""Reviews of teachers, tutors, assistants and specialists: written by whom they teach, shown once moderated."""
