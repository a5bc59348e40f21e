"""Logins, and roles with their territory and end."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
from litestar import Response, get, post

from portal.core import audit, territory
from portal.core.accounts import StaffRequest, create_staff, end_grant, give_role, set_password
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import ASTANA, N_
from portal.core.permissions import allows
from portal.core.permissions.catalogue import ROLES
from portal.core.problems import NotThere
from portal.core.ui.listing import words
from portal.core.ui.pages import page, see_other
from portal.features.staff import queries, roles
from portal.features.staff.roles import require_country, require_keyholder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.features.staff.queries import StaffRow

LEAST_PASSWORD = 10
# A grant ends with the school year at the latest (SAFETY P1).
YEAR_ENDS = (6, 30)


@get("/staff", guards=[allows("staff.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Everybody with his roles."""
    asked = words(request)
    return page(request, "staff/list.html", rows=await queries.list_staff(db, asked), words=asked)


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
    if len(password) < LEAST_PASSWORD:
        form.miss(
            "password", N_("At least {least} characters; a sentence is easier to remember."), least=LEAST_PASSWORD
        )
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
    return await _person_page(request, db, staff_id, {})


@post("/staff/{staff_id:int}/grant", guards=[allows("staff.edit")])
async def grant(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """A role within a territory until a day."""
    require_country(request.scope["user"], "staff.edit")
    await _find(db, staff_id)
    form = Form(await request.form())
    role = form.choice("role", ROLES)
    region = form.choice("region", ["", *[item.code for item in await territory.regions(db)]], "")
    school_code = form.text("school", required=False, most=40)
    school_id = await queries.school_id(db, school_code) if school_code else None
    if school_code and school_id is None:
        form.miss("school", N_("There is no school with this code."))
    ends = _end(form)
    if form.errors or ends is None:
        return await _person_page(request, db, staff_id, form.errors, status=422)
    actor = request.scope["user"]
    async with db.transaction():
        await give_role(
            db,
            staff_id=staff_id,
            role=role,
            ends_at=ends,
            region_code=None if school_id else region or None,
            school_id=school_id,
            given_by=actor.staff_id,
        )
        fact: dict[str, object] = {"role": role, "region": region, "school": school_code, "ends_at": ends.isoformat()}
        await audit.record(db, actor, "staff.role.given", kind="staff", object_id=staff_id, after=fact)
    return see_other(f"/staff/{staff_id}")


@post("/staff/grants/{grant_id:int}/end", guards=[allows("staff.edit")])
async def take_role(request: StaffRequest, db: Connection, grant_id: int) -> Response[str]:
    """Take a role away; at once."""
    require_country(request.scope["user"], "staff.edit")
    owner = await queries.grant_owner(db, grant_id)
    if owner is None:
        raise NotThere
    async with db.transaction():
        if await end_grant(db, grant_id, datetime.now(UTC)):
            fact: dict[str, object] = {"grant": grant_id}
            await audit.record(
                db, request.scope["user"], "staff.role.taken", kind="staff", object_id=owner, before=fact
            )
        await require_keyholder(db)
    return see_other(f"/staff/{owner}")


@post("/staff/{staff_id:int}/password", guards=[allows("staff.edit")])
async def reset_password(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """A drawn password, shown once; all sessions of the person end."""
    require_country(request.scope["user"], "staff.edit")
    await _find(db, staff_id)
    drawn = secrets.token_urlsafe(9)
    async with db.transaction():
        await set_password(db, staff_id, drawn)
        await audit.record(db, request.scope["user"], "staff.password.reset", kind="staff", object_id=staff_id)
    return await _person_page(request, db, staff_id, {}, drawn=drawn)


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
    latest = _school_year_end(datetime.now(ASTANA))
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


def _school_year_end(now: datetime) -> datetime:
    end = now.replace(month=YEAR_ENDS[0], day=YEAR_ENDS[1], hour=23, minute=59, second=0, microsecond=0)
    return end if end > now + timedelta(days=1) else end.replace(year=end.year + 1)


async def _person_page(
    request: StaffRequest,
    db: Connection,
    staff_id: int,
    errors: Mapping[str, object],
    *,
    status: int = 200,
    drawn: str = "",
) -> Response[str]:
    return page(
        request,
        "staff/show.html",
        status=status,
        person=await _find(db, staff_id),
        errors=errors,
        drawn=drawn,
        roles=ROLES,
        regions=await territory.regions(db),
        latest=_school_year_end(datetime.now(ASTANA)).strftime("%Y-%m-%d"),
        parse=datetime.fromisoformat,
    )


ROUTES = [show_list, new, make, show, grant, take_role, reset_password, disable, *roles.ROUTES]
