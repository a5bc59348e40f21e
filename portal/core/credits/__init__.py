"""Time given back after an outage: weighed by rule (engine/credit.py), granted as a control, shown with how it came about."""

from __future__ import annotations

from portal.core.credits.shown import Given, OutageLine, given_to, of_sitting
from portal.core.credits.weigh import weigh_for_ever, weigh_once

__all__ = ["Given", "OutageLine", "given_to", "of_sitting", "weigh_for_ever", "weigh_once"]
