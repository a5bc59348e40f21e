"""ControlProblems: NotRunning · NothingToResume · AlreadyPaused · NothingToReopen · those of stopping and going on."""

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


class AlreadyStopped(Problem):
    """Stop twice."""

    code = "already-stopped"
    status = 409
    title = N_("The sitting is stopped here already.")
    advice = N_("Reload the page to see since when, and let it go on with the reserve form.")


class NothingStopped(Problem):
    """Restart without a stop."""

    code = "nothing-stopped"
    status = 409
    title = N_("Nothing is stopped here.")
    advice = N_("Only what was stopped goes on with the reserve form. A pause is ended by letting the clock go on.")


class NoReserve(Problem):
    """There is nothing to go on with."""

    code = "no-reserve"
    status = 409
    title = N_("This sitting has no sealed reserve form.")
    advice = N_("Make another sitting with a new form for these pupils.")


class ReserveBurnt(Problem):
    """SAFETY D1: one form, one T0."""

    code = "reserve-burnt"
    status = 409
    title = N_("The reserve form has its one start already: {when}.")
    advice = N_(
        "Another start would leak it. Choose that very time while it lies ahead, or make a sitting with a new form."
    )


class RestartPast(Problem):
    """The second person agreed too late."""

    code = "restart-past"
    status = 409
    title = N_("The new start is too near: {when}.")
    advice = N_("Refuse this act and ask again with a later start, so that every pupil hears of it in time.")
