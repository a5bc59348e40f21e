"""ControlProblems: NotRunning · NothingToResume · AlreadyPaused · NobodyThere."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotRunning(Problem):
    """Controls reach published sittings only."""

    code = "sitting-not-running"
    status = 409
    title = N_("This sitting is not under way.")
    advice = N_("Instructions reach players of a published sitting only.")


class NothingToResume(Problem):
    """Resume without a pause."""

    code = "nothing-to-resume"
    status = 409
    title = N_("There is no pause here.")
    advice = N_("Somebody may have resumed it a moment ago; reload the page.")


class AlreadyPaused(Problem):
    """Pause twice."""

    code = "already-paused"
    status = 409
    title = N_("The clock stands still here already.")
    advice = N_("Reload the page to see since when.")


class NothingToReopen(Problem):
    """Take back a hand-in that isn't there."""

    code = "nothing-to-reopen"
    status = 409
    title = N_("Nobody here has handed in.")
    advice = N_("A hand-in can be taken back after it was made. Reload the page.")
