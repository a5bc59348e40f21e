"""WaiverProblems: WaivedAlready · AskedTooLongAgo · NoWaiver · NotAReviewer."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class WaivedAlready(Problem):
    """One at a time."""

    code = "waived-already"
    status = 409
    title = N_("The second person is waived already.")
    advice = N_("When it is over, two persons can declare another half an hour.")


class AskedTooLongAgo(Problem):
    """An outage is now."""

    code = "asked-too-long-ago"
    status = 409
    title = N_("This was asked more than an hour ago.")
    advice = N_("If the outage lasts, ask anew: both keys have to be touched within one hour.")


class NoWaiver(Problem):
    """Nothing to end."""

    code = "no-waiver"
    status = 409
    title = N_("No waiver of yours is in force.")
    advice = N_("It has ended, or another pair declared it. Reload the page.")


class NotAReviewer(Problem):
    """The pair and who did it look on."""

    code = "not-a-reviewer"
    status = 403
    title = N_("Others review this.")
    advice = N_("Who declared the waiver and who did the act do not review it. Two other persons do.")
