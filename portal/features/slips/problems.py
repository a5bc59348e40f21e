"""SlipProblems: NobodyToPrint · TooManySlips."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NobodyToPrint(Problem):
    """An empty choice."""

    code = "nobody-to-print"
    status = 409
    title = N_("There is nobody to print a slip for.")
    advice = N_(
        "All pupils of this choice have a slip. To make new ones, choose «all anew»: the old slips stop working."
    )


class TooManySlips(Problem):
    """More than one file should hold."""

    code = "too-many-slips"
    status = 413
    title = N_("These are too many slips for one file.")
    advice = N_("At most {most} at a time. Print school by school.")


class SlipsClosed(Problem):
    """The sitting is over."""

    code = "slips-closed"
    status = 409
    title = N_("This sitting is over; its codes open nothing any more.")
    advice = N_("Nothing was printed.")
