"""ScoreProblems: RunFilesAway · PurposeNeeded · AlreadyPublished · NotScoredYet · NothingDecided."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class RunFilesAway(Problem):
    """The store does not have, or does not give, the run's tables."""

    code = "run-files-away"
    status = 503
    title = N_("The tables of this run cannot be read just now.")
    advice = N_("The object store does not answer. Try again in a minute; nothing is lost.")


class PurposeNeeded(Problem):
    """Names leave the platform only with a purpose."""

    code = "purpose-needed"
    status = 422
    title = N_("A file with names needs its purpose.")
    advice = N_("Say in a few words what it is for; it stands inside the file and on record.")


class AlreadyPublished(Problem):
    """Twice."""

    code = "already-published"
    status = 409
    title = N_("This run is published already.")
    advice = N_("Reload the page to see since when.")


class NotScoredYet(Problem):
    """What is decided from a run needs one; and there is none before the form is over (SAFETY J6)."""

    code = "not-scored-yet"
    status = 409
    title = N_("This sitting has not been scored yet.")
    advice = N_("Score it first: answers, pupils and questions are decided about on the page of a run.")


class NothingDecided(Problem):
    """The same as before."""

    code = "nothing-decided"
    status = 409
    title = N_("This is so already.")
    advice = N_("Nothing was changed. Reload the page to see what holds and who decided it.")
