"""Looking at a picture: the portal asks here, for it never holds a key."""
