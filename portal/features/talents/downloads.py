"""The talents as a file: its reader, time and number stand on every page and on the sheet, its purpose at the end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.paper import PDF_TYPE, as_pdf
from portal.core.files.tables import XLSX_TYPE, Table, as_xlsx, download
from portal.core.forms import Form
from portal.core.i18n import N_, number, of, t, when
from portal.core.permissions import allows
from portal.core.scope import acting
from portal.core.ui.pages import page
from portal.features.talents import queries
from portal.features.talents.access import require
from portal.features.talents.problems import TooManyTalents
from portal.features.talents.routes import query_of, read_filter
from portal.features.talents.wording import why_in

if TYPE_CHECKING:
    from portal.core.files.tables import Cell
    from portal.features.talents.structs import TalentRow

FORMS = {"pdf": (as_pdf, PDF_TYPE), "xlsx": (as_xlsx, XLSX_TYPE)}
# The bound above which SAFETY P1 asks for a security key: no file of the talents goes beyond it.
MOST_ROWS = 500


@get("/talents/export", guards=[allows("talent.export")])
async def ask(request: StaffRequest, db: Connection) -> Response[str]:
    """How many they are, and what for."""
    await require(db, request.scope["user"])
    return await _page(request, db, None)


@post("/talents/export", guards=[allows("talent.export")])
async def take(request: StaffRequest, db: Connection) -> Response[str] | Response[bytes]:
    """The file; those with a consent alone. It is made for this answer and kept nowhere."""
    actor = request.scope["user"]
    access = await require(db, actor)
    form = Form(await request.form())
    purpose, kind = form.text("purpose", most=200), form.choice("form", list(FORMS), "pdf")
    wanted = read_filter(request)
    if form.errors:
        return await _page(request, db, form)
    async with acting(db, actor, "talent.export"):
        rows = await queries.list_talents(db, wanted, sort="name", limit=MOST_ROWS + 1, offset=0, named_only=True)
        if len(rows) > MOST_ROWS:
            raise TooManyTalents(most=number(MOST_ROWS))
        await readings.count(db, actor, "export", len(rows))
        narrowed = msgspec.to_builtins(wanted)
        copy = await queries.add_copy(db, actor.staff_id, kind, purpose, narrowed, len(rows))
        fact: dict[str, object] = {
            "copy": copy,
            "rows": len(rows),
            "form": kind,
            "filter": narrowed,
            "access": access.id,
        }
        await audit.record(
            db, actor, "talent.list.exported", kind="talent_list", object_id=copy, after=fact, reason=purpose
        )
    made = _table(rows, actor.full_name, purpose, copy)
    write, media = FORMS[kind]
    body = await asyncio.to_thread(write, made)
    return download(body, f"{made.name} {copy}.{kind}", media)


def _table(rows: list[TalentRow], reader: str, purpose: str, copy: int) -> Table:
    now = when(datetime.now(UTC))
    values: dict[str, object] = {"name": reader, "when": now, "purpose": purpose, "rows": number(len(rows))}
    lines: list[list[Cell]] = [
        [
            row.name,
            of(row.school) or None,
            row.class_name or None,
            of(row.region),
            of(row.rule),
            why_in(row.reason),
            row.since.date(),
        ]
        for row in rows
    ]
    head = [N_("Name"), N_("School"), N_("Class"), N_("Region"), N_("Rule"), N_("Why"), N_("Since")]
    return Table(
        t(N_("Talents")),
        [t(name) for name in head],
        lines,
        t(N_("Made for {name}, {when}. Purpose: {purpose}. Rows: {rows}."), **values),
        t(N_("{name} · {when} · copy № {copy}"), name=reader, when=now, copy=copy),
    )


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    wanted = read_filter(request)
    async with acting(db, request.scope["user"], "talent.export"):
        _, how_many = await queries.count_talents(db, wanted)
    return page(
        request,
        "talents/export.html",
        status=422 if form else 200,
        how_many=how_many,
        most=MOST_ROWS,
        query=query_of(wanted),
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [ask, take]
