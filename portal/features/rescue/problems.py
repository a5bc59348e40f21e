"""RescueProblems: NotARescueFile · RescueForeign · RescueNothingNew."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotARescueFile(Problem):
    """Not readable as a rescue file of ours, or changed on its way."""

    code = "not-a-rescue-file"
    status = 422
    title = N_("This is no rescue file of ours, or it was changed on its way.")
    advice = N_(
        "Nothing was taken in. Ask for the file as the pupil's page gave it, sent as a document and not as a picture or text."
    )


class RescueForeign(Problem):
    """The token in it is not of the attempt or the sitting."""

    code = "rescue-foreign"
    status = 422
    title = N_("This file does not prove whose it is.")
    advice = N_("Nothing was taken in. The attempt named in it is not of this sitting, or its proof does not hold.")


class RescueNothingNew(Problem):
    """All of it is in the database."""

    code = "rescue-nothing-new"
    status = 409
    title = N_("Everything in this file is in the database already.")
    advice = N_("Nothing is to be done: the answers had arrived.")


class RescueSittingFinal(Problem):
    """Scores are final."""

    code = "rescue-too-late"
    status = 409
    title = N_("The results of this sitting are published.")
    advice = N_("A rescue file is taken in until then. A later one is a matter for an appeal.")


class EngineSilent(Problem):
    """The proof could not be checked."""

    code = "engine-silent"
    status = 503
    title = N_("The proof in the file cannot be checked just now.")
    advice = N_("The engine does not answer. Nothing was taken in; try again in a minute.")
