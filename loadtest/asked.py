"""Numbers that a person asks for: what makes no run is one line."""

from __future__ import annotations

from infra.errors import PlainError


def require(name: str, value: float, least: float, most: float) -> None:
    """A PlainError unless the option lies between both."""
    # Written so that «nan» is too little as well.
    if not value >= least:
        raise PlainError(f"--{name} {value:.15g} is too little.", f"At least {least:.15g}.")
    if value > most:
        raise PlainError(f"--{name} {value:.15g} is too much.", f"At most {most:.15g}.")
