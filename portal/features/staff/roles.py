"""The matrix of roles × permissions. Taking away holds at once; giving needs a second person (SAFETY J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import LANGUAGES, N_, Text, in_language, t
from portal.core.permissions import allows, require_country
from portal.core.permissions.catalogue import ALL, BY_CODE, EVERYBODY
from portal.core.permissions.roles import all_roles
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other
from portal.features.staff import queries
from portal.features.staff.problems import LastKeyholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.permissions.roles import Role

# Beside the projects: roles that exist in each of them, and those of the house.
WORKING, HOUSE = "working", "house"


@get("/roles", guards=[allows("staff.view")])
async def roles(request: StaffRequest, db: Connection) -> Response[str]:
    """Roles × permissions: of one project, the working ones, or the house's."""
    known, sections = await all_roles(db), await _sections(db)
    section = request.query_params.get("of", WORKING)
    section = section if section in sections else WORKING
    groups: dict[str, list[object]] = {}
    for permission in ALL:
        if permission.code not in EVERYBODY:
            groups.setdefault(permission.group, []).append(permission)
    return page(
        request,
        "staff/roles.html",
        groups=groups,
        section=section,
        sections=sections,
        roles=_of(known, section),
        given=await queries.matrix(db),
        at_rest=await queries.at_rest(db),
    )


async def _sections(db: Connection) -> dict[str, object]:
    named: dict[str, object] = {one.code: one.name for one in await projects(db)}
    return named | {WORKING: Text(N_("Working roles")), HOUSE: Text(N_("The house"))}


def _of(known: Iterable[Role], section: str) -> list[Role]:
    return [role for role in known if section in {role.kind, role.project}]


@post("/roles", guards=[allows("role.edit")])
async def change_roles(request: StaffRequest, db: Connection) -> Response[str]:
    """Take permissions from roles, on record as before → after; put those to be given before a second person.

    The form is about the roles of its section `of`, or about all.
    """
    actor = request.scope["user"]
    require_country(actor, "role.edit")
    form, known = Form(await request.form()), await all_roles(db)
    section = form.values.get("of", "")
    concerned = _of(known, section) if section else known
    pairs = [f"{role.code}:{code}" for role in concerned for code in BY_CODE if code not in EVERYBODY]
    wished = {_pair(text) for text in form.choices("given", pairs)}
    async with db.transaction():
        now = {pair for pair in await queries.matrix(db) if ":".join(pair) in pairs}
        for role in sorted({role for role, _ in now - wished}):
            held = {code for owner, code in now if owner == role}
            taken = {code for owner, code in now - wished if owner == role}
            for permission in sorted(taken):
                await queries.take_permission(db, role, permission)
            await audit.record(
                db,
                actor,
                "staff.permission.taken",
                kind="role",
                object_id=role,
                before={"permissions": sorted(held)},
                after={"permissions": sorted(held - taken), "taken": sorted(taken)},
            )
        await require_keyholder(db)
        if wished - now:
            await _ask(db, actor, sorted(wished - now), {role.code: role.name for role in known})
    shown = f"/roles?of={section}" if section else "/roles"
    return see_other("/acts?asked=1" if wished - now else shown)


async def _ask(
    db: Connection, actor: Actor, pairs: list[tuple[str, str]], names: Mapping[str, Mapping[str, str]]
) -> None:
    lines: list[object] = []
    for role in sorted({role for role, _ in pairs}):
        line: dict[str, str] = {}
        for language in LANGUAGES:
            with in_language(language):
                texts = "; ".join(t(BY_CODE[code].text) for owner, code in pairs if owner == role)
                line[language] = f"{names[role][language]}: {texts}"
        lines.append(line)
    await acts.ask(
        db,
        actor,
        GIVE.code,
        sitting_id=None,
        payload={"given": [":".join(pair) for pair in pairs]},
        before={N_("Roles"): Text(N_("without these permissions"))},
        after={N_("Roles"): lines},
        reason="",
    )


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    pairs = [_pair(text) for text in act.payload["given"]]
    for role in sorted({role for role, _ in pairs}):
        held = {code for owner, code in await queries.matrix(db) if owner == role}
        given = {code for owner, code in pairs if owner == role}
        for permission in sorted(given):
            await queries.give_permission(db, role, permission)
        await audit.record(
            db,
            actor,
            "staff.permission.given",
            kind="role",
            object_id=role,
            before={"permissions": sorted(held)},
            after={"permissions": sorted(held | given), "given": sorted(given - held), "asked_by": act.made_by},
        )


GIVE = acts.register(acts.Act("role.give", N_("Add permissions to roles"), "role.edit", _perform, of_house=True))


def _pair(text: str) -> tuple[str, str]:
    role, _, permission = text.partition(":")
    return role, permission


async def require_keyholder(db: Connection) -> None:
    """Somebody must be left who can give roles."""
    if not await queries.keyholders(db):
        raise LastKeyholder


ROUTES = [roles, change_roles]
