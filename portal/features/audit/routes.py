"""Who did what, when, from where; and whether anybody changed the record of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.audit.archive import BUCKET, broken_in_files, files
from portal.core.audit.heads import broken_against_published
from portal.core.db import Connection
from portal.core.files.links import Source, path_of, register
from portal.core.files.tables import Table, export
from portal.core.i18n import ASTANA, N_, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page
from portal.features.audit import queries

if TYPE_CHECKING:
    from portal.core.accounts import Actor

MOST_EXPORT = 100_000


async def _name_for(db: Connection, _actor: Actor, key: str) -> str | None:
    return f"audit-{key}" if any(file.object_key == key for file in await files(db)) else None


ARCHIVE = register(
    Source(
        code="audit",
        bucket=BUCKET,
        permission="audit.view",
        media="application/vnd.apache.parquet",
        name_for=_name_for,
        act="audit.file.taken",
        about="audit",
    )
)


@get("/audit", guards=[allows("audit.view")])
async def trail(request: StaffRequest, db: Connection) -> Response[str]:
    """The trail with its filters."""
    return await _page(request, db)


@post("/audit/check", guards=[allows("audit.view")])
async def check(request: StaffRequest, db: Connection) -> Response[str]:
    """Compute every fingerprint again, and compare with those published each hour; a row changed by anybody, the database's owner too, shows."""
    async with db.transaction():
        store = request.app.state.settings.objects
        found = [await queries.broken_at(db), await broken_against_published(db, store)]
        found.append(await broken_in_files(db, store))
        broken = min((number for number in found if number is not None), default=None)
        fact: dict[str, object] = {"broken_at": broken}
        await audit.record(
            db, request.scope["user"], "audit.chain.checked", kind="audit", object_id="chain", after=fact
        )
    return await _page(request, db, checked=datetime.now(UTC), broken=broken)


@get("/audit/export/{form:str}", guards=[allows("audit.view")])
async def export_trail(request: StaffRequest, db: Connection, form: str) -> Response[bytes]:
    """The filtered trail as a file, with its fingerprints."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    act, kind, asked, since, until = filters(request)
    rows, _ = await queries.records(
        db, act=act, kind=kind, words=asked, since=since, until=until, limit=MOST_EXPORT, offset=0
    )
    async with db.transaction():
        fact: dict[str, object] = {"rows": len(rows)}
        await audit.record(
            db, request.scope["user"], "audit.trail.exported", kind="audit", object_id="trail", after=fact
        )
    return export(as_table(t(N_("Audit trail")), rows), form)


def as_table(name: str, rows: list[queries.AuditRow]) -> Table:
    """The rows as a file shows them, each with its fingerprint."""
    head = [N_("Number"), N_("When"), N_("Who"), N_("Login"), N_("Role"), N_("Address"), N_("What"), N_("Object")]
    head += [N_("Before"), N_("After"), N_("Reason"), N_("Fingerprint")]
    lines = [
        [
            row.id,
            row.at,
            row.name or "",
            row.login or "",
            row.acting_as,
            row.address,
            t(audit.ACTS.get(row.act, row.act)),
        ]
        + [
            f"{row.object_kind} {row.object_id}",
            as_json(row.before),
            as_json(row.after),
            row.reason,
            row.hash.hex(),
        ]
        for row in rows
    ]
    return Table(name, [t(one) for one in head], lines)


async def _page(
    request: StaffRequest, db: Connection, *, checked: datetime | None = None, broken: int | None = None
) -> Response[str]:
    act, kind, asked, since, until = filters(request)
    view = listing(request, ["id"], "id", rows=50)
    rows, total = await queries.records(
        db, act=act, kind=kind, words=asked, since=since, until=until, limit=view.rows, offset=view.offset
    )
    last_id, digest = await queries.head(db)
    key, reader, now = (
        decode_key(request.app.state.settings.link_key),
        request.scope["user"].staff_id,
        datetime.now(UTC),
    )
    return page(
        request,
        "audit/trail.html",
        rows=rows,
        total=total,
        view=view,
        **shown(request),
        checked=checked,
        broken=broken,
        last_id=last_id,
        digest=digest.hex(),
        files=[(file, path_of(key, ARCHIVE, file.object_key, reader, now)) for file in await files(db)],
    )


def shown(request: StaffRequest) -> dict[str, Any]:
    """What every page of records shows of its filter, and how it shows a fact."""
    act, kind, asked, *_ = filters(request)
    days = {name: request.query_params.get(name, "") for name in ("since", "until")}
    return {
        "act": act,
        "kind": kind,
        "words": asked,
        **days,
        "acts": audit.ACTS,
        "kinds": audit.KINDS,
        "as_json": as_json,
    }


def filters(request: StaffRequest) -> tuple[str, str, str, datetime | None, datetime | None]:
    """Act, kind, words, and the days between."""
    until = _day(request.query_params.get("until", ""))
    return (
        picked(request, "act", audit.ACTS),
        picked(request, "kind", audit.KINDS),
        words(request),
        _day(request.query_params.get("since", "")),
        until + timedelta(days=1) if until else None,
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=ASTANA)
    except ValueError:
        return None


def as_json(value: object) -> str:
    """A fact as one line."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


ROUTES = [trail, check, export_trail]
