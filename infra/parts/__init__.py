"""The servers of the one-machine form, and the supervisor that starts, watches and stops them."""
