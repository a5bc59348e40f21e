"""Errors that a person meets: a stable code, a status, what happened and what to do; one rendering for all of them.

Problem
├── NotThere            404  absent, or outside of the person's territory: the same to him
├── ModuleOff           404  the project has switched this module off
├── NotSignedIn         401  leads to the sign-in
├── SecondFactorWanted  403  leads to the page that asks for it
├── NotAllowed          403  his roles do not include it
├── NeedsRaised         403  his role includes it in a raised session only
├── OnlyLooking         403  he sees the house as another role, and would change something
├── FormExpired         403  the page's secret does not fit the session
├── OwnSchool           403  nobody acts on his own school
├── TooFast             429  more requests than a person makes
├── TooLarge            413  a file beyond the limit
└── (each feature's own: portal/features/*/problems.py)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import N_, t

if TYPE_CHECKING:
    from collections.abc import Mapping


class Problem(Exception):
    """The root. Subclasses give code, status, title and advice; `values` fill the `{names}` of both texts."""

    code: str = "problem"
    status: int = 500
    title: str = ""
    advice: str = ""
    # Where the page of the problem leads: (address, text).
    way: tuple[str, str] | None = None
    # Whether that page leads back to this address afterwards.
    way_returns: bool = True

    def __init__(self, **values: object) -> None:
        super().__init__(self.code)
        self.values = values

    def said(self) -> tuple[str, str]:
        """Title and advice in the request's language."""
        return t(self.title, **self.values), t(self.advice, **self.values)


class NotThere(Problem):
    """Absent or out of scope."""

    code = "not-there"
    status = 404
    title = N_("There is nothing at this address.")
    advice = N_(
        "It may have been moved, or it belongs to a territory that is not yours. Go back and choose from the list."
    )


class NotSignedIn(Problem):
    """No session."""

    code = "not-signed-in"
    status = 401
    title = N_("Please sign in.")
    advice = N_("Your session has ended or has not begun. Sign in, and you will come back to this page.")


class NotAllowed(Problem):
    """The permission is missing."""

    code = "not-allowed"
    status = 403
    title = N_("Your role does not include this.")
    advice = N_("Needed: «{permission}». The super-admin gives roles on the page «Staff».")


class ModuleOff(Problem):
    """A module that is switched off in the session's project."""

    code = "module-off"
    status = 404
    title = N_("This part is switched off in this project.")
    advice = N_(
        "«{module}» is not in use here at the moment. What was entered is kept. The system administrator switches it on."
    )


class SecondFactorWanted(Problem):
    """Signed in with a password alone, in a role that needs more."""

    code = "second-factor-wanted"
    status = 403
    title = N_("Please confirm that it is you.")
    advice = N_("Your role needs a second proof besides the password: a code of your phone's app, or a security key.")


class NeedsRaised(Problem):
    """A super-admin outside of a raised session."""

    code = "needs-raised-session"
    status = 403
    title = N_("This needs a raised session.")
    advice = N_("Needed: «{permission}». Your role gives it for a limited time and for a reason that you write down.")
    way = ("/raise", N_("Begin a raised session"))


class OnlyLooking(Problem):
    """SAFETY: seeing as another role is for looking."""

    code = "only-looking"
    status = 403
    title = N_("You are only looking.")
    advice = N_("Nothing was changed. You see the house as another role; end that first, with the button at the top.")


class FormExpired(Problem):
    """The CSRF token does not fit, or the request came from another site."""

    code = "form-expired"
    status = 403
    title = N_("This page has been open for too long.")
    advice = N_("Nothing was changed. Go back, reload the page and send it again.")


class OwnSchool(Problem):
    """SAFETY J5."""

    code = "own-school"
    status = 403
    title = N_("Nobody acts on his own school.")
    advice = N_("Nothing was changed. Ask a colleague to do it.")


class TooFast(Problem):
    """Rate limit."""

    code = "too-fast"
    status = 429
    title = N_("Too many requests from your address.")
    advice = N_("Wait a minute and try again. Nothing is lost.")


class TooLarge(Problem):
    """A body beyond the limit."""

    code = "too-large"
    status = 413
    title = N_("This file is too large.")
    advice = N_("At most {limit_mb} MB are taken. Split the file, or send it as CSV.")


def told(result: Mapping[str, object] | None) -> str:
    """The sentence of a job that failed with a problem; empty when it failed otherwise."""
    code, values = (result or {}).get("problem"), (result or {}).get("values")
    kinds = [Problem]
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        if kind.code == code and kind is not Problem:
            title, advice = kind(**(values if isinstance(values, dict) else {})).said()
            return f"{title} {advice}"
    return ""
