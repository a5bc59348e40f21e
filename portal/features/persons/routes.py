"""The list of persons: found in any spelling, filtered, in chosen columns, kept as a view, changed several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response, get, post

from portal.core import audit, readings, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import LARGEST_ID, Form
from portal.core.i18n import number
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.persons import queries
from portal.features.persons.columns import AT_FIRST, SHOWN
from portal.features.persons.problems import TooManyAtOnce
from portal.features.persons.structs import LANGUAGE_NAMES, PROJECTS, ROLES, SEXES, STATUSES, Filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts import Scope

MOST_AT_ONCE = 200


@get("/persons", guards=[allows("person.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """The list, a page of it."""
    actor = request.scope["user"]
    wanted = read_filter(request)
    async with acting(db, actor, "person.view") as scope:
        near = bool(wanted.district or wanted.school or wanted.words)
        view = listing(request, queries.SORTS | (queries.NEAR_SORTS if near else {}), "name")
        view = msgspec.structs.replace(view, at=min(view.at, -(-queries.MOST // view.rows)))
        rows, total = await queries.list_persons(db, wanted, scope, sort=view.sort, limit=view.rows, offset=view.offset)
        await readings.count(db, actor, "row", len(rows))
        context: dict[str, Any] = {
            "views": await queries.views(db, actor.staff_id),
            **await places(db, scope, wanted.region, wanted.district, wanted.school),
        }
    columns = read_columns(request)
    link = "/persons?" + query_of(wanted, columns)
    return page(
        request,
        "persons/list.html",
        rows=rows,
        total=total,
        most=queries.MOST,
        view=view,
        near=near,
        wanted=wanted,
        columns=columns,
        shown=SHOWN,
        link=link,
        kept=query_of(wanted, columns, sort=view.sort),
        projects=PROJECTS,
        roles=ROLES,
        statuses=STATUSES,
        sexes=SEXES,
        language_names=LANGUAGE_NAMES,
        grades=range(1, 13),
        **context,
    )


@post("/persons/views", guards=[allows("person.view")])
async def keep_view(request: StaffRequest, db: Connection) -> Response[str]:
    """Keep the filter, columns and order of now under a name, or forget one."""
    actor = request.scope["user"]
    form = Form(await request.form())
    forget = form.optional_id("forget")
    async with db.transaction():
        if forget is not None:
            await queries.drop_view(db, actor.staff_id, forget)
            return see_other("/persons")
        name = form.text("name", most=60)
        # Only what a list's address can hold, so that a view leads nowhere else.
        query = urlencode([pair for pair in parse_qsl(form.text("query", required=False)) if pair[0] in KNOWN])
        if not form.errors:
            await queries.save_view(db, actor.staff_id, name, query)
    return see_other(f"/persons?{query}")


@post("/persons/bulk", guards=[allows("person.edit")])
async def change_several(request: StaffRequest, db: Connection) -> Response[str]:
    """Those who were ticked, or all of the filter: into a project, to a school, into the archive or out. All or none."""
    actor = request.scope["user"]
    sent = await request.form()
    form = Form(sent)
    do = form.choice("do", ["project", "school", "archive", "restore"])
    asked = [pair for pair in parse_qsl(form.values.get("back", "")) if pair[0] in KNOWN]
    back = "/persons?" + urlencode(asked)
    if form.errors:
        return see_other(back)
    async with acting(db, actor, "person.edit") as scope:
        ids = await _of_filter(db, dict(asked), scope) if form.ticked("all") else ticked(sent.getall("ids", []))
        if not ids:
            return see_other(back)
        fact: dict[str, object] = {"do": do, "persons": ids}
        if do == "project":
            project, _, role = form.values.get("part", "").partition(":")
            if role not in ROLES.get(project, {}):
                raise NotThere
            fact["project"], fact["role"] = project, role
            changed = await queries.join_project(db, ids, project, role)
        elif do == "school":
            school = await territory.school(db, form.optional_id("to_school") or 0, scope)
            if school is None:
                raise NotThere
            fact["school"] = school.code
            changed = await queries.move_to_school(db, ids, school.id)
        else:
            changed = await queries.set_statuses(db, ids, "archived" if do == "archive" else "active")
        fact["changed"] = changed
        await audit.record(db, actor, "person.list.changed", kind="person_list", object_id=do, after=fact)
    return see_other(f"{back}&changed={changed}")


def ticked(sent: list[object]) -> list[int]:
    """The ids of ticked boxes; no more than a page and a half of a large one."""
    texts = {one for one in sent if isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 19}
    return sorted(int(one) for one in texts)[:MOST_AT_ONCE]


async def _of_filter(db: Connection, asked: dict[str, str], scope: Scope) -> list[int]:
    """All of a filter, if it is bounded: who would change more narrows it."""
    status = asked.get("status", "active")
    wanted = filter_of(asked, asked.get("q", "").strip()[:100], status if status in STATUSES else "active")
    ids = await queries.ids_of(db, wanted, scope, queries.MOST + 1)
    if len(ids) > queries.MOST:
        raise TooManyAtOnce(most=number(queries.MOST))
    return ids


@get("/persons/places", guards=[allows("person.view")])
async def show_places(request: StaffRequest, db: Connection) -> Response[str]:
    """The choice of district and school that belongs to a region; a form asks for it anew when the region changes."""
    wanted = read_filter(request)
    async with acting(db, request.scope["user"], "person.view") as scope:
        chosen = await places(db, scope, wanted.region, wanted.district, wanted.school)
    return page(request, "persons/_places.html", wanted=wanted, errors={}, **chosen)


KNOWN = {*Filter.__struct_fields__, "q", "cols", "sort"} - {"words"}


def read_filter(request: StaffRequest) -> Filter:
    """What the address asks for; what cannot be is asked for by nobody."""
    return filter_of(dict(request.query_params), words(request), picked(request, "status", STATUSES, "active"))


def filter_of(asked: Mapping[str, str], said: str, status: str) -> Filter:
    """The same from any source of texts."""

    def whole(name: str, most: int) -> int | None:
        text = asked.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= most else None

    def one_of(name: str, allowed: Mapping[str, object]) -> str:
        return asked[name] if asked.get(name) in allowed else ""

    region = asked.get("region", "")
    return Filter(
        words=said,
        project=one_of("project", PROJECTS),
        region=region if region.isascii() and region.isprintable() and len(region) <= 12 else "",
        district=whole("district", LARGEST_ID),
        school=whole("school", LARGEST_ID),
        grade=whole("grade", 12),
        letter=asked.get("letter", "").strip().replace("\0", "")[:4],
        language=one_of("language", LANGUAGE_NAMES),
        sex=one_of("sex", SEXES),
        status=status,
    )


def read_columns(request: StaffRequest) -> list[str]:
    """The chosen columns in the page's order."""
    asked = set(request.query_params.getall("cols", []))
    return [code for code in SHOWN if code in asked] or list(AT_FIRST)


def query_of(wanted: Filter, columns: list[str], sort: str = "") -> str:
    """The address's part that brings this list again."""
    pairs = [("q" if name == "words" else name, str(value)) for name, value in msgspec.to_builtins(wanted).items()]
    pairs += [("cols", code) for code in columns] if columns != list(AT_FIRST) else []
    return urlencode(pairs + ([("sort", sort)] if sort and sort != "name" else []))


async def places(db: Connection, scope: Scope, region: str, district: int | None, school: int | None) -> dict[str, Any]:
    """Regions, districts and schools to choose from, each list once the one above is chosen."""
    schools = (
        await queries.schools(db, region=region, district=district, scope=scope) if region or not scope.country else []
    )
    return {
        "regions": await territory.regions(db, scope),
        "districts": await queries.districts(db, region) if region else [],
        "schools": schools,
        "here": {"region": region, "district": district, "school": school},
    }


ROUTES = [show_list, show_places, keep_view, change_several]
