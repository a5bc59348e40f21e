"""A new role: born without any permission, so that widening it is what two persons do (SAFETY J5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import asyncpg
from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows, require_country
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other
from portal.features.staff import queries
from portal.features.staff.roles import WORKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE = re.compile(r"[a-z][a-z-]{1,39}")


@get("/roles/new", guards=[allows("role.edit")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """An empty form."""
    require_country(request.scope["user"], "role.edit")
    return await _page(request, db, Form.empty(), {"of": request.query_params.get("of", WORKING), "teaches": "1"})


@post("/roles/new", guards=[allows("role.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """The role; what it may do comes next."""
    actor = request.scope["user"]
    require_country(actor, "role.edit")
    form = Form(await request.form())
    code, name = form.text("code", most=40), form.texts("name", most=60)
    section = form.choice("of", [WORKING, *(one.code for one in await projects(db))])
    teaches = form.ticked("teaches")
    if not CODE.fullmatch(code):
        form.miss("code", N_("Small Latin letters and hyphens, like class-teacher."))
    if not form.errors:
        try:
            async with db.transaction():
                await queries.insert_role(db, code, None if section == WORKING else section, name, teaches=teaches)
                fact: dict[str, object] = {"code": code, "of": section, "name": name, "teaches": teaches}
                await audit.record(db, actor, "role.role.made", kind="role", object_id=code, after=fact)
            return see_other(f"/roles?of={section}")
        except asyncpg.UniqueViolationError:
            form.miss("code", N_("There is a role with this code."))
    return await _page(request, db, form, form.values)


async def _page(request: StaffRequest, db: Connection, form: Form, values: Mapping[str, str]) -> Response[str]:
    return page(
        request,
        "staff/new_role.html",
        status=422 if form.errors else 200,
        errors=form.errors,
        values=values,
        projects=await projects(db),
        working=WORKING,
    )


ROUTES = [show, make]
