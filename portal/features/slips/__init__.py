"""Sign-in slips: new codes drawn, printed once, kept nowhere (SAFETY J3)."""
