"""The tree of the territory, the list of schools and centres, one of them with its classes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.tables import Table, export
from portal.core.forms import Form
from portal.core.i18n import N_, of, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.territory import District
from portal.core.territory import districts as all_districts
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.places import queries, rules
from portal.features.places.structs import COLUMNS, KINDS, SETTLEMENT_KINDS, Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.accounts import Scope
    from portal.core.files.tables import Cell
    from portal.features.places.structs import RegionRow, SchoolRow

MOST_IN_A_FILE = 20_000
CODE_TAKEN = N_("There is a school with this code already.")


@get("/places", guards=[allows("place.view")])
async def show_tree(request: StaffRequest, db: Connection) -> Response[str]:
    """Regions, with what lies in each."""
    scope = request.scope["user"].scope("place.view")
    return page(request, "places/tree.html", regions=await queries.regions(db, scope))


@get("/places/{region:str}", guards=[allows("place.view")])
async def show_region(request: StaffRequest, db: Connection, region: str) -> Response[str]:
    """Its districts and their settlements."""
    scope = request.scope["user"].scope("place.view")
    found = await _region(db, scope, region)
    return page(
        request,
        "places/region.html",
        region=found,
        districts=await queries.districts(db, scope, region),
        settlement_kinds=SETTLEMENT_KINDS,
        may_edit=_may_edit(request, region),
        values={},
        errors={},
    )


@post("/places/{region:str}/settlements", guards=[allows("place.edit")])
async def add_settlement(request: StaffRequest, db: Connection, region: str) -> Response[str]:
    """A settlement of a district."""
    actor = request.scope["user"]
    found = await _region(db, actor.scope("place.view"), region)
    if not _may_edit(request, region):
        raise NotThere
    form = Form(await request.form())
    rows = await queries.districts(db, actor.scope("place.edit"), region)
    district = form.choice("district", [str(one.id) for one in rows])
    kind = form.choice("kind", list(SETTLEMENT_KINDS))
    name_kk = form.text("name_kk", most=80)
    name_ru, name_en = (form.text(f"name_{code}", required=False, most=80) or name_kk for code in ("ru", "en"))
    names = (name_kk, name_ru, name_en)
    kato = form.text("kato", required=False, most=9)
    if kato and not (kato.isascii() and kato.isdigit() and len(kato) == 9):
        form.miss("kato", N_("Nine digits are needed, or nothing."))
    if not form.errors:
        try:
            async with db.transaction():
                made = await queries.insert_settlement(db, int(district), kind, kato or None, names)
                fact: dict[str, object] = {"district": int(district), "kind": kind, "kato": kato, "name": list(names)}
                await audit.record(db, actor, "place.settlement.made", kind="settlement", object_id=made, after=fact)
        except asyncpg.UniqueViolationError:
            form.miss("name_kk", N_("This settlement is there already."))
        else:
            return see_other(f"/places/{region}#d{district}")
    return page(
        request,
        "places/region.html",
        status=422,
        region=found,
        districts=rows,
        settlement_kinds=SETTLEMENT_KINDS,
        may_edit=True,
        values=form.values,
        errors=form.errors,
    )


@get("/schools", guards=[allows("place.view")])
async def show_schools(request: StaffRequest, db: Connection) -> Response[str]:
    """Schools and centres: filtered, sorted, a page of them."""
    scope = request.scope["user"].scope("place.view")
    view = listing(request, queries.SORTS, "name")
    asked = _asked(request)
    rows, total = await queries.schools(db, scope, asked, sort=view.sort, limit=view.rows, offset=view.offset)
    return page(
        request,
        "places/schools.html",
        rows=rows,
        total=total,
        view=view,
        asked=asked,
        kinds=KINDS,
        regions=await queries.regions(db, scope),
        link="/schools?" + asked.query,
    )


@get("/schools/export/{form:str}", guards=[allows("place.view")])
async def export_schools(request: StaffRequest, db: Connection, form: str) -> Response[bytes]:
    """The list as it is filtered, as a file that an import takes in again."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    actor = request.scope["user"]
    rows, total = await queries.schools(db, actor.scope("place.view"), _asked(request), limit=MOST_IN_A_FILE)
    fact: dict[str, object] = {"schools": len(rows), "of": total, "form": form}
    await audit.record(db, actor, "place.list.exported", kind="school", object_id="-", after=fact)
    return export(
        Table(t(N_("Schools and centres")), [t(one.title) for one in COLUMNS], [_cells(one) for one in rows]), form
    )


@get("/schools/new", guards=[allows("place.edit")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The empty form."""
    return await _form(request, db, request.scope["user"].scope("place.edit"), None, Form.empty())


@post("/schools/new", guards=[allows("place.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A school or a centre."""
    return await _write(request, db, None)


@get("/schools/{school_id:int}", guards=[allows("place.view")])
async def show(request: StaffRequest, db: Connection, school_id: int) -> Response[str]:
    """One of them: where it lies, whom to call, its classes."""
    async with acting(db, request.scope["user"], "place.view") as scope:
        found = await _find(db, scope, school_id)
        classes = await queries.classes(db, school_id)
    return page(
        request,
        "places/school.html",
        school=found,
        classes=classes,
        kinds=KINDS,
        may_edit=_may_edit(request, found.region_code),
    )


@get("/schools/{school_id:int}/edit", guards=[allows("place.edit")])
async def edit(request: StaffRequest, db: Connection, school_id: int) -> Response[str]:
    """The form with what is known."""
    scope = request.scope["user"].scope("place.edit")
    return await _form(request, db, scope, await _find(db, scope, school_id), Form.empty())


@post("/schools/{school_id:int}/edit", guards=[allows("place.edit")])
async def change(request: StaffRequest, db: Connection, school_id: int) -> Response[str]:
    """Write the form; one that moves takes its people along."""
    return await _write(request, db, school_id)


@post("/schools/{school_id:int}/close", guards=[allows("place.edit")])
async def close(request: StaffRequest, db: Connection, school_id: int) -> Response[str]:
    """Close it, or open it again; nothing that hangs on it goes."""
    actor = request.scope["user"]
    async with db.transaction():
        before = await _find(db, actor.scope("place.edit"), school_id, lock=True)
        await queries.set_closed(db, school_id, None if before.closed_at else datetime.now(UTC))
        act = "place.school.opened" if before.closed_at else "place.school.closed"
        await audit.record(db, actor, act, kind="school", object_id=school_id)
    return see_other(f"/schools/{school_id}")


async def _write(request: StaffRequest, db: Connection, school_id: int | None) -> Response[str]:
    actor = request.scope["user"]
    scope = actor.scope("place.edit")
    form = Form(await request.form())
    async with db.transaction():
        before = await _find(db, scope, school_id, lock=True) if school_id is not None else None
        if "reload" in form.values:
            return await _form(request, db, scope, before, form)
        district = form.optional_id("district")
        mine = {one.id for one in await _districts(db, scope)}
        # Who sees single schools keeps them where they lie.
        at = district if district in mine or (before and district == before.district_id) else None
        settlement = form.optional_id("settlement")
        known = {number for number, _ in await queries.settlements(db, at)} if at else set[int]()
        made = rules.read_form(form, at, settlement if settlement in known else None)
        if form.errors:
            return await _form(request, db, scope, before, form)
        try:
            async with db.transaction():
                if before is None:
                    number = await queries.insert_school(db, made)
                else:
                    await queries.update_school(db, before.id, made)
                    number = before.id
        except asyncpg.UniqueViolationError:
            form.miss("code", CODE_TAKEN)
            return await _form(request, db, scope, before, form)
        after = await queries.school(db, actor.scope("place.view"), number)
        act = "place.school.changed" if before else "place.school.made"
        if before is None or after is None or before.fact != after.fact:
            await audit.record(
                db,
                actor,
                act,
                kind="school",
                object_id=number,
                before=before.fact if before else None,
                after=after.fact if after else None,
            )
    return see_other(f"/schools/{number}")


async def _form(
    request: StaffRequest, db: Connection, scope: Scope, before: SchoolRow | None, form: Form
) -> Response[str]:
    values: dict[str, object] = {}
    if before is not None:
        values = {"code": before.code, "kind": before.kind, "district": before.district_id}
        values |= {
            "settlement": before.settlement_id or "",
            **{f"name_{code}": text for code, text in before.name.items()},
        }
        values |= {"contact_name": before.contact_name, "contact_phone": before.contact_phone}
    values |= form.values
    district = str(values.get("district") or "")
    chosen = int(district) if district.isdigit() and len(district) < 10 else None
    return page(
        request,
        "places/form.html",
        status=422 if form.errors else 200,
        school=before,
        values=values,
        errors=form.errors,
        kinds=KINDS,
        districts=await _districts(db, scope, before),
        settlements=await queries.settlements(db, chosen) if chosen else [],
    )


async def _districts(db: Connection, scope: Scope, before: SchoolRow | None = None) -> Sequence[District]:
    """Those that a school may be put into."""
    return [
        one
        for one in await all_districts(db)
        if scope.country or one.region_code in scope.regions or (before is not None and one.id == before.district_id)
    ]


async def _region(db: Connection, scope: Scope, code: str) -> RegionRow:
    found = next((one for one in await queries.regions(db, scope) if one.code == code), None)
    if found is None:
        raise NotThere
    return found


async def _find(db: Connection, scope: Scope, school_id: int, *, lock: bool = False) -> SchoolRow:
    found = await queries.school(db, scope, school_id, lock=lock)
    if found is None:
        raise NotThere
    return found


def _may_edit(request: StaffRequest, region: str) -> bool:
    scope = request.scope["user"].scope("place.edit")
    return scope.country or region in scope.regions


def _asked(request: StaffRequest) -> Asked:
    numbers = [request.query_params.get(name, "") for name in ("district", "settlement")]
    district, settlement = (
        int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None for text in numbers
    )
    return Asked(
        words=words(request),
        region=request.query_params.get("region", "")[:10].replace("\0", ""),
        district=district,
        settlement=settlement,
        kind=picked(request, "kind", KINDS),
        closed=request.query_params.get("closed", "") == "1",
    )


def _cells(row: SchoolRow) -> list[Cell]:
    return [
        row.code,
        t(KINDS[row.kind]),
        row.name["kk"],
        row.name["ru"],
        row.name["en"],
        row.region_code,
        of(row.district),
        of(row.settlement) if row.settlement else "",
        row.contact_name,
        row.contact_phone,
    ]


ROUTES = [
    *[show_tree, show_region, add_settlement, show_schools, export_schools, new, make],
    *[show, edit, change, close],
]
