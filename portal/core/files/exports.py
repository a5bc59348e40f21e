"""Lists that hang on one object, as files: asked for with a purpose, made by a job, named for their reader (SAFETY P1).

A feature registers what it has; the page of progress and the file itself are the same for all (portal/features/files).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core import audit, jobs, readings
from portal.core.accounts.structs import Scope
from portal.core.files import uploads
from portal.core.files.paper import PDF_TYPE, as_pdf
from portal.core.files.tables import CSV_TYPE, XLSX_TYPE, Table, as_csv, as_xlsx
from portal.core.i18n import N_, number, t, when
from portal.core.permissions.catalogue import BY_CODE
from portal.core.problems import Problem
from portal.core.scope import within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection
    from portal.core.files.tables import Cell
    from portal.core.forms import Form
    from portal.core.jobs import Context

    Rows = Callable[[Connection, dict[str, Any]], Awaitable[tuple[list[str], list[list[Cell]]]]]
else:
    Rows = object

KIND = "list-export"
FORMS = {"xlsx": (as_xlsx, XLSX_TYPE), "csv": (as_csv, CSV_TYPE), "pdf": (as_pdf, PDF_TYPE)}
# Above this many children a touch of the security key is due (P1); such a list is taken in parts, or from the registry.
MOST_CHILDREN = 500


class TooManyChildren(Problem):
    """SAFETY P1."""

    code = "too-many-children"
    status = 422
    title = N_("A file holds {most} persons at the most.")
    advice = N_("Narrow the list by kind, project or state, and take it in parts.")


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A list that can be a file. `rows` runs within the asker's territory, in his language."""

    code: str
    permission: str
    title: str
    rows: Rows


EXPORTS: dict[str, Export] = {}


def register(export: Export) -> Export:
    """Make a list known; a code is registered once."""
    if export.code in EXPORTS or export.permission not in BY_CODE:
        msg = f"The list {export.code!r} is registered twice, or its permission is not in the catalogue."
        raise ValueError(msg)
    EXPORTS[export.code] = export
    return export


def read_form(form: Form) -> tuple[str, str]:
    """Purpose and form of the file."""
    return form.text("purpose", most=200), form.choice("form", list(FORMS), "xlsx")


async def ask(
    db: Connection,
    actor: Actor,
    export: Export,
    form: Form,
    *,
    how_many: int,
    wanted: dict[str, Any],
    person_id: int | None = None,
    sitting_id: int | None = None,
    children: bool = True,
) -> int:
    """The job, counted and on record, in the caller's transaction; send it after the commit.

    The list hangs on a person or on a sitting, which is told to `rows` in `wanted`.
    """
    kind_of = "person" if sitting_id is None else "sitting"
    about = person_id if sitting_id is None else sitting_id
    purpose, kind = read_form(form)
    if children and how_many > MOST_CHILDREN:
        raise TooManyChildren(most=number(MOST_CHILDREN))
    if children:
        await readings.count(db, actor, "export", how_many)
    payload: dict[str, Any] = {
        "export": export.code,
        "wanted": wanted | {kind_of: about},
        "form": kind,
        "purpose": purpose,
        "scope": msgspec.to_builtins(actor.scope(export.permission)),
        "reader": actor.full_name,
    }
    job_id = await jobs.ask(db, KIND, sitting_id=None, made_by=actor.staff_id, payload=payload)
    fact: dict[str, object] = {"list": export.code, "rows": how_many, "form": kind, "job": job_id}
    act = "person.list.asked" if sitting_id is None else "sitting.list.asked"
    await audit.record(db, actor, act, kind=kind_of, object_id=about, after=fact, reason=purpose)
    return job_id


async def make(context: Context) -> dict[str, Any]:
    """The job."""
    payload = context.job.payload
    export = EXPORTS[payload["export"]]
    async with context.pool.acquire() as db, within(db, msgspec.convert(payload["scope"], Scope)):
        head, rows = await export.rows(db, payload["wanted"])
    note = t(
        N_("Made for {name}, {when}. Purpose: {purpose}. Rows: {rows}."),
        name=payload["reader"],
        when=when(datetime.now(UTC)),
        purpose=payload["purpose"],
        rows=number(len(rows)),
    )
    body = await asyncio.to_thread(FORMS[payload["form"]][0], Table(t(export.title), head, rows, note))
    key = await uploads.keep(context.settings.objects, uploads.EXPORTS, export.code, body)
    return {"key": key, "rows": len(rows), "size": len(body)}
