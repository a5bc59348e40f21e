"""TalentProblems: AccessWanted · RunAway · TooManyTalents · Switched."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class AccessWanted(Problem):
    """A role alone opens nothing (SPEC R2)."""

    code = "talents-access-wanted"
    status = 403
    title = N_("The talents are open to named specialists only.")
    advice = N_("Ask for access with your reason; a second person decides. It lasts 90 days at most.")
    way = ("/talents/ask", N_("Ask for access"))


class RunAway(Problem):
    """The tables of a published run cannot be read."""

    code = "talents-run-away"
    status = 503
    title = N_("The tables of a published run cannot be read just now.")
    advice = N_("Nobody came into the talents and nobody left. It is tried again every day, or by the button.")


class TooManyTalents(Problem):
    """An export beyond what one file holds."""

    code = "talents-too-many"
    status = 422
    title = N_("These are too many children for one file.")
    advice = N_("One file of the talents holds at most {most}. Narrow the filter, by region or rule for example.")


class Switched(Problem):
    """A rule that was switched meanwhile."""

    code = "talents-rule-switched"
    status = 409
    title = N_("This rule was switched meanwhile.")
    advice = N_("Nothing was changed. Look at the list of rules again.")
