"""TieProblems: OwnPupils."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class OwnPupils(Problem):
    """Who attaches pupils to himself would widen his own grant (SAFETY P1)."""

    code = "own-pupils"
    status = 403
    title = N_("Nobody attaches pupils to himself.")
    advice = N_("A colleague with the same right does it: own pupils are what a role of own pupils opens.")
