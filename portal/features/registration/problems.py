"""RegistrationProblems: ProofOver · TooManyCodes · TooManyNumbers · TooManyMisses · DecidedAlready · NotFitting."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class ProofOver(Problem):
    """A link or a code that is used, too old, or none."""

    code = "registration-link-over"
    status = 410
    title = N_("This link or code is over.")
    advice = N_("It was used, or it is too old. Begin again: a new one comes in a minute.")
    way = ("/register", N_("Register"))


class TooManyCodes(Problem):
    """With one link to a consent."""

    code = "too-many-consent-codes"
    status = 429
    title = N_("Several codes have gone out with this link.")
    advice = N_("Type the newest one. If none came, ask for a new link, or sign the printed form.")


class TooManyNumbers(Problem):
    """Named by one who agrees for himself; the same words, whether we know a number or not."""

    code = "too-many-consent-numbers"
    status = 429
    title = N_("You have named several phone numbers today.")
    advice = N_(
        "Sign with one of those, or tomorrow with another. Without a phone: print the form and bring it signed to your school."
    )


class TooManyMisses(Problem):
    """Of class codes, or of logins that were taken, from one address."""

    code = "too-many-registration-misses"
    status = 429
    title = N_("There were very many wrong codes from your address.")
    advice = N_("Wait a quarter of an hour and look at the code once more, letter by letter.")


class DecidedAlready(Problem):
    """Another was first."""

    code = "registration-decided"
    status = 409
    title = N_("This registration has been decided meanwhile.")
    advice = N_("Nothing was changed. Look at the list again.")


class NotFitting(Problem):
    """A row of the registry that is not the one who registers, or has a login already."""

    code = "registration-person-not-fitting"
    status = 409
    title = N_("This row of the registry cannot be joined with the registration.")
    advice = N_("It has a login already, or its name or birth date has changed. Look at the comparison again.")
