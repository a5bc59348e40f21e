"""Where to go on to after a form."""

from __future__ import annotations

import re

# Browsers drop tabs and line ends from an address and read a backslash as a slash: «/\t/host» is another site to them.
OUTSIDE = re.compile(r"[^!-~]|\\")


def inside(target: str | None) -> str:
    """An address of ours to go on to; never another site's."""
    if not target or not target.startswith("/") or target.startswith("//") or OUTSIDE.search(target):
        return "/"
    return target
