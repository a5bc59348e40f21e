"""What a browser calls itself, in words that a person knows: «Chrome Mobile 124, Android 10»."""

from __future__ import annotations

import functools

LONGEST = 70
# A model that a browser makes up so that nobody is known by it.
NO_MODELS = ("K", "Other")


@functools.lru_cache(4096)
def device(agent: str | None) -> str:
    """Model, browser and system of a User-Agent header; what is not known, as it came, cut to 70 characters."""
    # Read when a page asks: the patterns weigh more than the page.
    from ua_parser import parse

    if not agent:
        return "—"
    told = parse(agent)
    model = told.device.family if told.device and told.device.family not in NO_MODELS else ""
    browser = _with_number(told.user_agent.family, told.user_agent.major) if told.user_agent else ""
    system = _with_number(told.os.family, told.os.major) if told.os else ""
    return ", ".join(part for part in (model, browser, system) if part) or agent[:LONGEST]


def _with_number(name: str, number: str | None) -> str:
    return f"{name} {number}" if number else name
