"""The house's side of consents: the texts that are agreed to, and what is erased after a withdrawal."""
