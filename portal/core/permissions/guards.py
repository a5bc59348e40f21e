"""The guards. A route without one of them does not start (see `require_declared`), so the default is «no»."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import Text
from portal.core.permissions.catalogue import BY_CODE
from portal.core.problems import NotAllowed, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar.connection import ASGIConnection
    from litestar.handlers.base import BaseRouteHandler

    from portal.core.accounts.structs import Actor


class Allows:
    """Lets pass who holds a permission somewhere; where exactly, each query decides by the actor's scope."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(self, connection: ASGIConnection, _handler: BaseRouteHandler) -> None:
        actor: Actor = connection.scope["user"]
        if not actor.signed_in:
            raise NotSignedIn
        if not actor.may(self.permission):
            raise NotAllowed(permission=Text(BY_CODE[self.permission].text))


class Public:
    """Says aloud that everybody may."""

    permission = "public"

    async def __call__(self, _connection: ASGIConnection, _handler: BaseRouteHandler) -> None:
        """Everybody passes."""


def allows(permission: str) -> Allows:
    """The guard of a route; an unknown permission fails at import."""
    if permission not in BY_CODE:
        msg = f"{permission!r} is not in portal/core/permissions/catalogue.py"
        raise ValueError(msg)
    return Allows(permission)


public = Public()


def declared(handler: BaseRouteHandler) -> str | None:
    """The permission a route names; None if it forgot."""
    for guard in handler.guards or ():
        if isinstance(guard, (Allows, Public)):
            return guard.permission
    return None


def require_declared(handlers: Iterable[BaseRouteHandler]) -> None:
    """Refuse to start with a route that names no permission."""
    for handler in handlers:
        if declared(handler) is None:
            msg = f"{handler} declares no permission: add guards=[allows(…)] or guards=[public]."
            raise RuntimeError(msg)
