"""What a person is told when a system asks wrongly, and what a system is told."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class UnknownSystem(Problem):
    """No such client, one that is off, or an address that is not its own: nobody is sent there, not even with an error."""

    code = "unknown-system"
    status = 400
    title = N_("The system that sent you here is not known.")
    advice = N_(
        "You were not signed in there. Tell its people: its number or its return address is not the one we have."
    )


class Refused(Exception):
    """An error of RFC 6749 §4.1.2.1 or of OpenID Connect Core §3.1.2.6, sent to the system by way of the browser."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error, self.description = error, description


class TokenRefused(Exception):
    """An error of RFC 6749 §5.2, the answer of the token endpoint."""

    def __init__(self, error: str, status: int = 400, *, description: str = "") -> None:
        super().__init__(error)
        self.error, self.status, self.description = error, status, description
