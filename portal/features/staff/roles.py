"""The matrix of roles × permissions. Taking away holds at once; giving needs a second person (SAFETY J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text
from portal.core.permissions import allows
from portal.core.permissions.catalogue import ALL, BY_CODE, ROLES
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.staff import queries
from portal.features.staff.problems import LastKeyholder

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor

PAIRS = [f"{role}:{code}" for role in ROLES for code in BY_CODE if code != "own.account"]


@get("/roles", guards=[allows("staff.view")])
async def roles(request: StaffRequest, db: Connection) -> Response[str]:
    """Roles × permissions."""
    groups: dict[str, list[object]] = {}
    for permission in ALL:
        if permission.code != "own.account":
            groups.setdefault(permission.group, []).append(permission)
    return page(request, "staff/roles.html", groups=groups, roles=ROLES, given=await queries.matrix(db))


@post("/roles", guards=[allows("role.edit")])
async def change_roles(request: StaffRequest, db: Connection) -> Response[str]:
    """Take permissions from roles, each on its own record; put those to be given before a second person."""
    actor = request.scope["user"]
    require_country(actor, "role.edit")
    form = Form(await request.form())
    wished = {_pair(text) for text in form.choices("given", PAIRS)}
    async with db.transaction():
        now = {pair for pair in await queries.matrix(db) if ":".join(pair) in PAIRS}
        for role, permission in sorted(now - wished):
            await queries.take_permission(db, role, permission)
            fact: dict[str, object] = {"permission": permission}
            await audit.record(db, actor, "staff.permission.taken", kind="role", object_id=role, before=fact)
        await require_keyholder(db)
        if wished - now:
            await _ask(db, actor, sorted(wished - now))
    return see_other("/acts?asked=1" if wished - now else "/roles")


async def _ask(db: Connection, actor: Actor, pairs: list[tuple[str, str]]) -> None:
    named = {role: [Text(BY_CODE[code].text) for held, code in pairs if held == role] for role, _ in pairs}
    await acts.ask(
        db,
        actor,
        GIVE.code,
        sitting_id=None,
        payload={"given": [":".join(pair) for pair in pairs]},
        before={ROLES[role]: Text(N_("without these permissions")) for role in named},
        after={ROLES[role]: texts for role, texts in named.items()},
        reason="",
    )


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    for role, permission in map(_pair, act.payload["given"]):
        await queries.give_permission(db, role, permission)
        fact: dict[str, object] = {"permission": permission, "asked_by": act.made_by}
        await audit.record(db, actor, "staff.permission.given", kind="role", object_id=role, after=fact)


GIVE = acts.register(acts.Act("role.give", N_("Add permissions to roles"), "role.edit", _perform))


def _pair(text: str) -> tuple[str, str]:
    role, _, permission = text.partition(":")
    return role, permission


def require_country(actor: Actor, permission: str) -> None:
    """Logins and roles are the whole country's: who holds a region could make himself one who holds all."""
    if not actor.scope(permission).country:
        raise NotThere


async def require_keyholder(db: Connection) -> None:
    """Somebody must be left who can give roles."""
    if not await queries.keyholders(db):
        raise LastKeyholder


ROUTES = [roles, change_roles]
