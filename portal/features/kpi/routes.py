"""The KPI log of a person, and its list from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post

from portal.core import audit, cards, jobs, readings
from portal.core.accounts import StaffRequest
from portal.core.accounts.structs import Scope
from portal.core.db import Connection
from portal.core.files import exports
from portal.core.files.reading import read_rows
from portal.core.files.tables import Table, export
from portal.core.files.uploads import sent_file
from portal.core.forms import Form
from portal.core.i18n import N_, of, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.scope import acting, within
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.kpi import queries, rules
from portal.features.kpi.problems import OwnLog
from portal.features.kpi.structs import COLUMNS, SOURCES, UNITS, Filter, NewEntry

if TYPE_CHECKING:
    from portal.core.db import Pool
    from portal.core.files.tables import Cell
    from portal.core.jobs import Context

KIND = "kpi-gather"
MOST_ROWS, MOST_IMPORT, SHOWN_MISSES = 20_000, 5_000, 100
NOT_PERSON = N_("There is nobody with this external id in your territory.")


@get("/persons/{person_id:int}/kpi", guards=[allows("kpi.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The log of a period with its sums."""
    return await _page(request, db, person_id, None)


@get("/me/kpi", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """The own log."""
    return await _page(request, db, None, None)


@post("/persons/{person_id:int}/kpi", guards=[allows("kpi.edit")])
async def add(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """A row by hand."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with cards.seen(db, actor, "kpi.edit", person_id) as card:
        if actor.person_id == card.id:
            raise OwnLog
        if card.closed:
            raise NotThere
        known, codes = await queries.measures(db), [one.code for one in await projects(db)]
        read = rules.read(form.values, known, codes, readings.today())
        if isinstance(read, NewEntry):
            await queries.insert(db, [(card.id, read)], "entered", actor.staff_id)
            fact = msgspec.to_builtins(read)
            await audit.record(db, actor, "kpi.entry.made", kind="person", object_id=card.id, after=fact)
        else:
            for name, message in read.items():
                form.miss(name, message)
    if form.errors:
        return await _page(request, db, person_id, form)
    return see_other(f"/persons/{person_id}/kpi")


@post("/persons/{person_id:int}/kpi/{entry_id:int}/remove", guards=[allows("kpi.edit")])
async def remove(request: StaffRequest, db: Connection, person_id: int, entry_id: int) -> Response[str]:
    """A row that was entered wrongly; what the platform counted stays."""
    actor = request.scope["user"]
    async with cards.seen(db, actor, "kpi.edit", person_id) as card:
        if actor.person_id == card.id:
            raise OwnLog
        before = await queries.remove(db, card.id, entry_id)
        if before is None:
            raise NotThere
        await audit.record(db, actor, "kpi.entry.removed", kind="person", object_id=card.id, before=before)
    return see_other(f"/persons/{person_id}/kpi")


@post("/persons/{person_id:int}/kpi/export", guards=[allows("kpi.export")])
async def export_list(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The log as a file, made by a job."""
    actor = request.scope["user"]
    form = Form(await request.form())
    exports.read_form(form)
    if form.errors:
        return await _page(request, db, person_id, form)
    wanted = read_filter(request)
    async with cards.seen(db, actor, "kpi.export", person_id) as card:
        _, how_many = await queries.entries(db, card.id, wanted, limit=1)
        job_id = await exports.ask(
            db,
            actor,
            FILE,
            form,
            how_many=how_many,
            person_id=card.id,
            wanted=msgspec.to_builtins(wanted),
            children=False,
        )
    await request.app.state.queues.send(job_id, exports.KIND)
    return see_other(f"/exports/{job_id}")


@get("/kpi/import", guards=[allows("kpi.edit")])
async def import_page(request: StaffRequest, db: Connection) -> Response[str]:
    """Where a list goes, its columns and the codes that they take."""
    return await _import_page(request, db, [], 0)


@get("/kpi/import/template/{form:str}", guards=[allows("kpi.edit")])
async def template(form: str) -> Response[bytes]:
    """An empty list with an example."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    example: list[Cell] = [column.example for column in COLUMNS]
    return export(Table(t(N_("KPI log")), [t(column.title) for column in COLUMNS], [example]), form)


@post("/kpi/import", guards=[allows("kpi.edit")], request_max_body_size=5 * 2**20)
async def take_list(request: StaffRequest, db: Connection) -> Response[str]:
    """A list, whole or not at all: with one wrong row nothing is taken, and each wrong row is named."""
    actor = request.scope["user"]
    _, body = await sent_file(request)
    total, lines = read_rows(body, COLUMNS)
    wrong: list[tuple[int, str, str]] = []
    rows: list[tuple[int, NewEntry]] = []
    if total > MOST_IMPORT:
        wrong.append((0, "", t(N_("At most {most} rows in one list."), most=MOST_IMPORT)))
        return await _import_page(request, db, wrong, 0)
    said = list(lines)
    async with acting(db, actor, "kpi.edit"):
        known, codes = await queries.measures(db), [one.code for one in await projects(db)]
        ids = [line.get("external_id", "").strip() for _, line in said]
        persons = await queries.by_external_id(db, ids)
        for (number, line), external_id in zip(said, ids, strict=True):
            read = rules.read(line, known, codes, readings.today())
            person = persons.get(external_id)
            if person is None or person == actor.person_id:
                wrong.append((number, external_id, t(NOT_PERSON)))
            if isinstance(read, NewEntry) and person is not None:
                rows.append((person, read))
            elif not isinstance(read, NewEntry):
                wrong += [(number, line.get(name, ""), t(message)) for name, message in read.items()]
        if not wrong:
            await queries.insert(db, rows, "imported", actor.staff_id)
            fact: dict[str, object] = {"rows": len(rows)}
            await audit.record(db, actor, "kpi.list.taken", kind="person_list", object_id="kpi", after=fact)
    return await _import_page(request, db, wrong, 0 if wrong else len(rows))


def read_filter(request: StaffRequest) -> Filter:
    """Period and choice of the address."""
    asked = request.query_params
    since, until = rules.period(asked.get("since", "")[:20], asked.get("until", "")[:20], readings.today())
    return Filter(
        since=since,
        until=until,
        project=picked(request, "project", [one.code for one in request.scope["user"].projects]),
        measure=asked.get("measure", "")[:40].replace("\0", ""),
    )


async def _page(request: StaffRequest, db: Connection, person_id: int | None, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    wanted, view = read_filter(request), listing(request, queries.SORTS, "-day")
    async with cards.opened(db, actor, "kpi.view", person_id) as card:
        known = await queries.measures(db)
        rows, total = await queries.entries(db, card.id, wanted, sort=view.sort, limit=view.rows, offset=view.offset)
        sums = await queries.sums(db, card.id, wanted)
        drawn = wanted.measure or (sums[0].measure if sums else "")
        months = await queries.months(db, card.id, msgspec.structs.replace(wanted, measure=drawn)) if drawn else []
        choices = await projects(db)
    days = {"since": wanted.since.strftime("%d.%m.%Y"), "until": wanted.until.strftime("%d.%m.%Y")}
    query = urlencode({**days, "project": wanted.project, "measure": wanted.measure})
    return page(
        request,
        "kpi/log.html",
        status=422 if form else 200,
        rows=rows,
        total=total,
        view=view,
        wanted=wanted,
        days=days,
        sums=sums,
        bars=rules.bars(months, wanted),
        drawn=next((one for one in sums if one.measure == drawn), None),
        measures=known,
        project_choices=[(one.code, of(one.name)) for one in choices],
        sources=SOURCES,
        units=UNITS,
        may_edit=not card.own and actor.may("kpi.edit") and actor.person_id != card.id and not card.closed,
        link=f"{card.base}/kpi?{query}",
        today=readings.today().strftime("%d.%m.%Y"),
        errors=form.errors if form else {},
        values=form.values if form else {},
        file_action=f"{card.base}/kpi/export?{query}",
        file_errors=form.errors if form else {},
        **cards.context(request, card),
    )


async def _import_page(
    request: StaffRequest, db: Connection, wrong: list[tuple[int, str, str]], taken: int
) -> Response[str]:
    return page(
        request,
        "kpi/import.html",
        status=422 if wrong else 200,
        wrong=wrong[:SHOWN_MISSES],
        misses=len(wrong),
        taken=taken,
        columns=COLUMNS,
        measures=[one for one in await queries.measures(db) if not one.from_system],
    )


async def _rows(db: Connection, wanted: dict[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    person = wanted.pop("person")
    rows, _ = await queries.entries(db, person, msgspec.convert(wanted, Filter), sort="day", limit=MOST_ROWS)
    head = [N_("Day"), N_("Project"), N_("Measure"), N_("Value"), N_("Unit"), N_("Source"), N_("Note")]
    lines: list[list[Cell]] = [
        [row.day, of(row.project_name), of(row.name), float(row.value), t(UNITS[row.unit])]
        + [t(SOURCES[row.source]), row.note]
        for row in rows
    ]
    return [t(name) for name in head], lines


async def gather(context: Context) -> dict[str, Any]:
    """The day's job: what the platform counts itself."""
    async with context.pool.acquire() as db, within(db, Scope(country=True)):
        await db.execute("set local statement_timeout = 0")
        return {"rows": await queries.gather(db)}


async def ask_daily(pool: Pool) -> None:
    """Ask for it; the worker finds the job by itself."""
    async with pool.acquire() as db:
        await jobs.ask(db, KIND, sitting_id=None, made_by=None, payload={})


FILE = exports.register(exports.Export(code="kpi", permission="kpi.export", title=N_("KPI log"), rows=_rows))
WORK = {KIND: gather}
ROUTES = [show, show_own, add, remove, export_list, import_page, template, take_list]
