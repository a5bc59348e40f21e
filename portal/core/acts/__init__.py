"""Acts that need two persons (SAFETY J5): the first asks, the second sees before and after, and does or refuses it."""

from __future__ import annotations

from portal.core.acts.pending import Pending, ask, decide, find, require_other_hand, same_hand, waiting, withdraw
from portal.core.acts.registry import ACTS, Act, register
from portal.core.acts.waivers import REVIEWERS, do_waived, to_review

__all__ = [
    "ACTS",
    "REVIEWERS",
    "Act",
    "Pending",
    "ask",
    "decide",
    "do_waived",
    "find",
    "register",
    "require_other_hand",
    "same_hand",
    "to_review",
    "waiting",
    "withdraw",
]
