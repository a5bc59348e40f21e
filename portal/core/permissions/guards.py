"""The guards. A route without one of them does not start (see `require_declared`), so the default is «no».

Who has not shown his second factor is led to its page first; then a module that is off in his project is not there;
then his roles decide, by what they hold this moment (portal.core.accounts.acting).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from portal.core.i18n import Text
from portal.core.permissions.catalogue import BY_CODE
from portal.core.permissions.modules import NAMES, module_of
from portal.core.problems import ModuleOff, NeedsRaised, NotAllowed, NotSignedIn, NotThere, SecondFactorWanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar.connection import ASGIConnection
    from litestar.handlers.base import BaseRouteHandler

    from portal.core.accounts.structs import Actor


# That a grant is in use is written down once in this time; it falls asleep after thirty times as long.
USED_EVERY = timedelta(days=1)


class Allows:
    """Lets pass who holds a permission somewhere; where exactly, each query decides by the actor's scope.

    `before_factor`: also who has not shown his second factor yet; for the pages that ask for it.
    """

    def __init__(self, permission: str, *, before_factor: bool = False) -> None:
        self.permission = permission
        self.before_factor = before_factor

    async def __call__(self, connection: ASGIConnection, _handler: BaseRouteHandler) -> None:
        actor: Actor = connection.scope["user"]
        if not actor.signed_in:
            raise NotSignedIn
        if actor.wants_factor and not self.before_factor:
            raise SecondFactorWanted
        module, permission = module_of(self.permission), Text(BY_CODE[self.permission].text)
        if module in actor.off:
            raise ModuleOff(module=Text(NAMES[module]))
        if not actor.may(self.permission):
            raise (NeedsRaised if actor.may_raised(self.permission) else NotAllowed)(permission=permission)
        await self._note_use(connection, actor)

    async def _note_use(self, connection: ASGIConnection, actor: Actor) -> None:
        """The grants that give this are in use; those who only look through another role use none."""
        if actor.seen_as is not None:
            return
        now = datetime.now(UTC)
        stale = [
            grant.id
            for grant in actor.grants
            if self.permission in grant.permissions and grant.used_at < now - USED_EVERY
        ]
        if stale:
            await connection.app.state.pool.execute(
                "update staff_grant set used_at = greatest(used_at, $2) where id = any($1)", stale, now
            )


class Public:
    """Says aloud that everybody may."""

    permission = "public"

    async def __call__(self, _connection: ASGIConnection, _handler: BaseRouteHandler) -> None:
        """Everybody passes."""


def allows(permission: str, *, before_factor: bool = False) -> Allows:
    """The guard of a route; an unknown permission fails at import."""
    if permission not in BY_CODE:
        msg = f"{permission!r} is not in portal/core/permissions/catalogue.py"
        raise ValueError(msg)
    return Allows(permission, before_factor=before_factor)


public = Public()


def require_country(actor: Actor, permission: str) -> None:
    """For what is a whole project's (roles, providers, modules, rules): whoever holds it in a region finds nothing there."""
    if not actor.scope(permission).country:
        raise NotThere


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
