"""Logins, and roles with their territory and end."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
from litestar import Response, get, post

from portal.core import audit, territory
from portal.core.accounts import StaffRequest, create_staff, end_grant, give_role, school_year_end, set_password
from portal.core.accounts.grant_rows import find_grant, grants_of
from portal.core.accounts.strength import require_strong
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import ASTANA, N_
from portal.core.permissions import allows, require_country
from portal.core.permissions.roles import all_roles
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.listing import picked, words
from portal.core.ui.pages import page, see_other
from portal.features.staff import linking, new_role, queries, renewal, roles, see_as, why
from portal.features.staff.places import read_place
from portal.features.staff.roles import require_keyholder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.features.staff.queries import StaffRow


@get("/staff", guards=[allows("staff.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Who works here, with his roles; those who registered by themselves where they are asked for."""
    asked, who = words(request), picked(request, "who", queries.WHO, "staff")
    rows = await queries.list_staff(db, asked, who=who)
    return page(request, "staff/list.html", rows=rows, words=asked, who=who)


@get("/staff/new", guards=[allows("staff.edit")])
async def new(request: StaffRequest) -> Response[str]:
    """An empty form with a drawn first password."""
    return page(request, "staff/new.html", values={"password": secrets.token_urlsafe(9)}, errors={})


@post("/staff/new", guards=[allows("staff.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A login; roles come next."""
    require_country(request.scope["user"], "staff.edit")
    form = Form(await request.form())
    login, name = form.text("login", most=60).lower(), form.text("full_name", most=120)
    password = form.values.get("password", "")
    require_strong(form, "password", password, login, name)
    language = form.choice("language", ["kk", "ru", "en"], "kk")
    own_school = form.text("own_school", required=False, most=40)
    school_id = await queries.school_id(db, own_school) if own_school else None
    if own_school and school_id is None:
        form.miss("own_school", N_("There is no school with this code."))
    if not form.errors:
        try:
            async with db.transaction():
                staff_id = await create_staff(
                    db, login=login, full_name=name, password=password, language=language, own_school_id=school_id
                )
                fact: dict[str, object] = {"login": login, "full_name": name, "own_school": own_school}
                await audit.record(
                    db, request.scope["user"], "staff.person.made", kind="staff", object_id=staff_id, after=fact
                )
            return see_other(f"/staff/{staff_id}")
        except asyncpg.UniqueViolationError:
            form.miss("login", N_("This login is taken."))
    return page(request, "staff/new.html", status=422, values=form.values, errors=form.errors)


@get("/staff/{staff_id:int}", guards=[allows("staff.view")])
async def show(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """One person: roles, password, shut or open."""
    return await person_page(request, db, staff_id, {})


@post("/staff/{staff_id:int}/grant", guards=[allows("staff.edit")])
async def grant(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """A role within a territory until a day."""
    require_country(request.scope["user"], "staff.edit")
    await _find(db, staff_id)
    form = Form(await request.form())
    role, _, project = form.choice("role", [*(await _role_choices(db)), *(await _codes(db))]).partition("@")
    place, ends = await read_place(db, form), _end(form)
    if form.errors or ends is None:
        return await person_page(request, db, staff_id, form.errors, status=422, values=form.values)
    actor = request.scope["user"]
    async with db.transaction():
        grant_id = await give_role(
            db,
            staff_id=staff_id,
            role=role,
            ends_at=ends,
            place=place,
            project=project or actor.project,
            given_by=actor.staff_id,
        )
        given = await find_grant(db, grant_id)
        assert given is not None
        await audit.record(db, actor, "staff.role.given", kind="staff", object_id=staff_id, after=given.fact)
    return see_other(f"/staff/{staff_id}")


async def _codes(db: Connection) -> list[str]:
    return [role.code for role in await all_roles(db)]


async def _role_choices(db: Connection) -> dict[str, list[dict[str, str]]]:
    """What a form offers: a working role once for each project (`code@project`); the parts of each one's name."""
    choices: dict[str, list[dict[str, str]]] = {}
    known = await projects(db)
    for role in await all_roles(db):
        if role.kind == "house":
            choices[role.code] = [role.name]
        elif role.kind == "project":
            choices[role.code] = [next(one.name for one in known if one.code == role.project), role.name]
        else:
            choices |= {f"{role.code}@{one.code}": [one.name, role.name] for one in known}
    return choices


@post("/staff/grants/{grant_id:int}/end", guards=[allows("staff.edit")])
async def take_role(request: StaffRequest, db: Connection, grant_id: int) -> Response[str]:
    """Take a role away; at once."""
    require_country(request.scope["user"], "staff.edit")
    before = await find_grant(db, grant_id)
    if before is None:
        raise NotThere
    now = datetime.now(UTC)
    async with db.transaction():
        if await end_grant(db, grant_id, now):
            await audit.record(
                db,
                request.scope["user"],
                "staff.role.taken",
                kind="staff",
                object_id=before.staff_id,
                before=before.fact,
                after=before.fact | {"ends_at": now.isoformat()},
            )
        await require_keyholder(db)
    return see_other(f"/staff/{before.staff_id}")


@post("/staff/{staff_id:int}/password", guards=[allows("staff.edit")])
async def reset_password(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """A drawn password, shown once; all sessions of the person end."""
    require_country(request.scope["user"], "staff.edit")
    await _find(db, staff_id)
    drawn = secrets.token_urlsafe(9)
    async with db.transaction():
        await set_password(db, staff_id, drawn)
        await audit.record(db, request.scope["user"], "staff.password.reset", kind="staff", object_id=staff_id)
    return await person_page(request, db, staff_id, {}, drawn=drawn)


@post("/staff/{staff_id:int}/factor", guards=[allows("staff.edit")])
async def forget_factors(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """Phone or key are lost: both are taken off the login; the next sign-in asks to add a new one."""
    require_country(request.scope["user"], "staff.edit")
    await _find(db, staff_id)
    async with db.transaction():
        await queries.forget_factors(db, staff_id)
        await audit.record(db, request.scope["user"], "staff.factor.reset", kind="staff", object_id=staff_id)
    return see_other(f"/staff/{staff_id}")


@post("/staff/{staff_id:int}/disable", guards=[allows("staff.edit")])
async def disable(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """Shut a login or open it again."""
    require_country(request.scope["user"], "staff.edit")
    person = await _find(db, staff_id)
    shut = person.disabled_at is None
    async with db.transaction():
        await queries.set_disabled(db, staff_id, datetime.now(UTC) if shut else None)
        act = "staff.person.disabled" if shut else "staff.person.enabled"
        await audit.record(db, request.scope["user"], act, kind="staff", object_id=staff_id)
        await require_keyholder(db)
    return see_other(f"/staff/{staff_id}")


async def _find(db: Connection, staff_id: int) -> StaffRow:
    found = await queries.list_staff(db, "", staff_id)
    if not found:
        raise NotThere
    return found[0]


def _end(form: Form) -> datetime | None:
    latest = school_year_end(datetime.now(ASTANA))
    text = form.values.get("ends_on", "")
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=ASTANA, hour=23, minute=59)
    except ValueError:
        form.miss("ends_on", N_("Please give a day."))
        return None
    if not datetime.now(UTC) < day <= latest:
        form.miss(
            "ends_on",
            N_("A day from today to the end of the school year, {latest}."),
            latest=latest.strftime("%d.%m.%Y"),
        )
        return None
    return day


async def person_page(
    request: StaffRequest,
    db: Connection,
    staff_id: int,
    errors: Mapping[str, object],
    *,
    status: int = 200,
    drawn: str = "",
    values: Mapping[str, str] | None = None,
) -> Response[str]:
    """The page of one login, with what was wrong in a form of it."""
    return page(
        request,
        "staff/show.html",
        status=status,
        person=await _find(db, staff_id),
        grants=await grants_of(db, staff_id),
        linked=await queries.linked_person(db, staff_id),
        errors=errors,
        values=values or {},
        drawn=drawn,
        roles=await _role_choices(db),
        regions=await territory.regions(db),
        districts=await territory.districts(db),
        latest=school_year_end(datetime.now(ASTANA)).strftime("%Y-%m-%d"),
    )


ROUTES = [
    *[show_list, new, make, show, grant, take_role, reset_password, forget_factors, disable],
    *roles.ROUTES,
    *new_role.ROUTES,
    *renewal.ROUTES,
    *linking.ROUTES,
    *see_as.ROUTES,
    *why.ROUTES,
]
