"""KpiProblems: OwnLog."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class OwnLog(Problem):
    """Nobody measures himself."""

    code = "own-kpi-log"
    status = 403
    title = N_("Nobody writes into his own KPI log.")
    advice = N_("A coordinator enters it; what the platform counts comes by itself.")
