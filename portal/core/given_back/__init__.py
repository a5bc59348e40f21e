"""Time given back after an outage: weighed by rule (engine/credit.py), granted as a control, shown with how it came about."""

from __future__ import annotations

from portal.core.given_back.shown import SHOWN, Given, OutageLine, PupilLine, given_to, of_sitting, pupils_of
from portal.core.given_back.weigh import weigh_for_ever, weigh_once

__all__ = [
    "SHOWN",
    "Given",
    "OutageLine",
    "PupilLine",
    "given_to",
    "of_sitting",
    "pupils_of",
    "weigh_for_ever",
    "weigh_once",
]
