"""What each project knows of a person: fields as data, changed by an administrator (SPEC R1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.persons.structs import KINDS, PROJECTS, Field

if TYPE_CHECKING:
    from portal.features.persons.structs import Member

CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
COLUMNS = "id, project, code, title, kind, choices, required, place, retired_at"


async def all_fields(db: Connection, project: str | None = None, *, retired: bool = False) -> list[Field]:
    """The fields of a project, or of all, in their order."""
    rows = await db.fetch(
        f"""
        select {COLUMNS}
        from attribute_field
        where ($1::text is null or project = $1) and ($2 or retired_at is null)
        order by project, place, id
        """,
        *(project, retired),
    )
    return [Field(**row) for row in rows]


def shown_values(member: Member, fields: list[Field]) -> list[tuple[dict[str, str], Any]]:
    """Title and value of a person's own fields in a project; a choice as its text."""
    lines: list[tuple[dict[str, str], Any]] = []
    for field in fields:
        value = member.attributes.get(field.code)
        if field.project != member.project or value is None:
            continue
        if field.kind == "choice":
            value = next((choice for choice in field.choices if choice["code"] == value), value)
        lines.append((field.title, value))
    return lines


@get("/persons/fields", guards=[allows("attribute.edit")])
async def show_fields(request: StaffRequest, db: Connection) -> Response[str]:
    """All fields, project by project."""
    return page(
        request, "persons/fields.html", fields=await all_fields(db, retired=True), projects=PROJECTS, kinds=KINDS
    )


@get("/persons/fields/new", guards=[allows("attribute.edit")])
async def new_field(request: StaffRequest) -> Response[str]:
    """The empty form."""
    return _form(request, None, None, 200)


@get("/persons/fields/{field_id:int}", guards=[allows("attribute.edit")])
async def edit_field(request: StaffRequest, db: Connection, field_id: int) -> Response[str]:
    """The form of one field."""
    return _form(request, await _field(db, field_id), None, 200)


@post("/persons/fields/new", guards=[allows("attribute.edit")])
async def make_field(request: StaffRequest, db: Connection) -> Response[str]:
    """A new field; its code and kind stand for good."""
    form = Form(await request.form())
    project, code = form.choice("project", list(PROJECTS)), form.text("code", most=40)
    kind = form.choice("kind", list(KINDS))
    if not CODE.fullmatch(code):
        form.miss("code", N_("Latin small letters, digits and _ are needed, a letter first."))
    title, choices = form.texts("title", most=120), _choices(form, kind)
    place = form.integer("place", least=0, most=999, default=0)
    async with db.transaction():
        taken = await db.fetchval("select 1 from attribute_field where project = $1 and code = $2", project, code)
        if taken:
            form.miss("code", N_("This project has a field with this code."))
        if form.errors:
            return _form(request, None, form, 422)
        made = await db.fetchval(
            """
            insert into attribute_field (project, code, title, kind, choices, required, place)
            values ($1, $2, $3, $4, $5, $6, $7) returning id
            """,
            *(project, code, title, kind, choices, form.ticked("required"), place),
        )
        fact: dict[str, object] = {"project": project, "code": code, "kind": kind, "title": title}
        await audit.record(
            db, request.scope["user"], "attribute.field.made", kind="attribute", object_id=made, after=fact
        )
    return see_other("/persons/fields")


@post("/persons/fields/{field_id:int}", guards=[allows("attribute.edit")])
async def change_field(request: StaffRequest, db: Connection, field_id: int) -> Response[str]:
    """Titles, choices, order, whether it is needed, whether it is still asked for."""
    form = Form(await request.form())
    async with db.transaction():
        field = await _field(db, field_id)
        title, choices = form.texts("title", most=120), _choices(form, field.kind)
        place = form.integer("place", least=0, most=999, default=0)
        if form.errors:
            return _form(request, field, form, 422)
        await db.execute(
            """
            update attribute_field
            set title = $2, choices = $3, place = $4, required = $5,
                retired_at = case when $6 then coalesce(retired_at, now()) end
            where id = $1
            """,
            *(field_id, title, choices, place, form.ticked("required"), form.ticked("retired")),
        )
        before: dict[str, object] = {"title": field.title, "choices": field.choices, "required": field.required}
        after: dict[str, object] = {"title": title, "choices": choices, "required": form.ticked("required")}
        await audit.record(
            db,
            request.scope["user"],
            "attribute.field.changed",
            kind="attribute",
            object_id=field_id,
            before=before,
            after=after,
        )
    return see_other("/persons/fields")


def _choices(form: Form, kind: str) -> list[dict[str, str]]:
    """A line a choice: code; Kazakh; Russian; English."""
    if kind != "choice":
        return []
    made: list[dict[str, str]] = []
    for line in form.text("choices", most=5000).splitlines():
        parts = [part.strip() for part in line.split(";")]
        if not line.strip():
            continue
        if len(parts) < 2 or not all(parts[:2]):
            form.miss("choices", N_("Each line is: code; Kazakh; Russian; English. We saw «{seen}»."), seen=line[:80])
            continue
        kazakh = parts[1]
        russian, english = ([*parts[2:], "", ""])[:2]
        made.append({"code": parts[0], "kk": kazakh, "ru": russian or kazakh, "en": english or kazakh})
    if not made:
        form.miss("choices", N_("Please give at least one choice."))
    return made


async def _field(db: Connection, field_id: int) -> Field:
    row = await db.fetchrow(f"select {COLUMNS} from attribute_field where id = $1", field_id)
    if row is None:
        raise NotThere
    return Field(**row)


def _form(request: StaffRequest, field: Field | None, form: Form | None, status: int) -> Response[str]:
    sent = form.values if form else None
    values: dict[str, object] = {}
    if field is not None:
        values = {f"title_{language}": text for language, text in field.title.items()}
        values |= {"place": field.place, "required": field.required, "retired": field.retired_at is not None}
        values["choices"] = "\n".join(
            "; ".join((choice["code"], choice["kk"], choice["ru"], choice["en"])) for choice in field.choices
        )
    return page(
        request,
        "persons/field.html",
        status=status,
        field=field,
        values=values | (sent or {}),
        errors=form.errors if form else {},
        projects=PROJECTS,
        kinds=KINDS,
    )


ROUTES = [show_fields, new_field, edit_field, make_field, change_field]
