"""What can go wrong on the way to a provider and back."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class ProviderAway(Problem):
    """No answer, or none that can be read."""

    code = "provider-away"
    status = 502
    title = N_("«{provider}» does not answer.")
    advice = N_("Nothing was changed. Try again in a minute, or sign in with your login and password.")
    way = ("/sign-in", N_("To the sign-in page"))
    way_returns = False


class NotVouched(Problem):
    """What came back proves nothing; the log says what was wrong, the page does not help to try the next forgery."""

    code = "not-vouched"
    status = 403
    title = N_("The answer of «{provider}» could not be checked.")
    advice = N_("Nobody was signed in. Begin again on the sign-in page; if it happens twice, tell your super-admin.")
    way = ("/sign-in", N_("To the sign-in page"))
    way_returns = False


class DeniedThere(Problem):
    """The person said no, or the provider did."""

    code = "denied-there"
    status = 403
    title = N_("You did not sign in at «{provider}».")
    advice = N_("Nothing was changed. Choose it once more, or sign in with your login and password.")
    way = ("/sign-in", N_("To the sign-in page"))
    way_returns = False
