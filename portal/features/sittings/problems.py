"""SittingProblems: NotDraft · NotReady · CannotClose."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotDraft(Problem):
    """A change of what is published."""

    code = "sitting-not-draft"
    status = 409
    title = N_("This sitting is no longer a draft.")
    advice = N_(
        "Pupils may rely on its times already. Time is given or taken on the page «Live», with its reason on record."
    )


class NotReady(Problem):
    """Publishing with an open point."""

    code = "sitting-not-ready"
    status = 409
    title = N_("This sitting cannot be published yet.")
    advice = N_("The page of the sitting lists what is missing and where to do it.")


class CannotClose(Problem):
    """Closing too early."""

    code = "sitting-not-over"
    status = 409
    title = N_("Somebody may still be writing.")
    advice = N_(
        "The last attempt can be over at {until}. Close the sitting after that, or end the attempts on the page «Live»."
    )
