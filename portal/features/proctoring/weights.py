"""What each kind of event weighs: the house's rules, and what one sitting says otherwise (SPEC P2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.i18n.times import number
from portal.core.permissions import allows
from portal.core.sittings import find_head, require_whole
from portal.core.ui.pages import page, see_other
from portal.features.proctoring.structs import EVENTS, WEIGHING
from proctoring.risk.rules import HOUSE, Override, overrides_of

if TYPE_CHECKING:
    from portal.core.sittings import SittingHead

REVIEW = "watch.review"
# Field → its column, and the most that it may be.
FIELDS: dict[str, tuple[str, float]] = {
    "weight": (N_("Points each time"), 100),
    "free_times": (N_("Times that cost nothing"), 1000),
    "per_s": (N_("Points each second"), 10),
    "free_s": (N_("Seconds that cost nothing"), 3600),
    "most": (N_("Points at most"), 100),
}
WHOLE = {"free_times"}


@get("/sittings/{sitting_id:int}/weights", guards=[allows(REVIEW)])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The house's number stands in each empty field."""
    return _page(request, await _head(request, db, sitting_id), await _said(db, sitting_id), None)


@post("/sittings/{sitting_id:int}/weights", guards=[allows(REVIEW)])
async def change(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """For the whole sitting; all its scores are worked out anew, from the same events."""
    head, form = await _head(request, db, sitting_id), Form(await request.form())
    said = read(form)
    before = await _said(db, sitting_id)
    if form.errors or before is None:
        return _page(request, head, before, form)
    async with db.transaction():
        await db.execute(
            "update sitting_watch set rules = $2::text::jsonb where sitting_id = $1",
            *(sitting_id, msgspec.json.encode(said).decode()),
        )
        await db.execute(
            "insert into watch_to_score (sitting_id, attempt_id) select sitting_id, attempt_id from watch_score where sitting_id = $1",
            sitting_id,
        )
        await audit.record(
            db,
            request.scope["user"],
            "watch.weights.set",
            kind="sitting",
            object_id=sitting_id,
            before={kind: own.said() for kind, own in before.items()},
            after={kind: own.said() for kind, own in said.items()},
        )
    return see_other(f"/sittings/{sitting_id}/weights?kept=1")


def read(form: Form) -> dict[str, Override]:
    """What differs from the house; an empty field, and the house's own number, say nothing."""
    said: dict[str, Override] = {}
    for kind in WEIGHING:
        given: dict[str, float] = {}
        for field, (_, most) in FIELDS.items():
            value = _read_number(form, f"{kind}.{field}", most, whole=field in WHOLE)
            if value is not None and value != getattr(HOUSE[kind], field):
                given[field] = value
        if given:
            said[kind] = msgspec.convert(given, Override)
    return said


def _read_number(form: Form, name: str, most: float, *, whole: bool) -> float | None:
    raw = form.values.get(name, "").strip()
    if not raw:
        return None
    try:
        value = float(raw.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        form.miss(name, N_("A number from 0 to {most} is needed; we saw «{seen}»."), most=number(most), seen=raw)
        return None
    if whole and not value.is_integer():
        form.miss(name, N_("A whole number is needed; we saw «{seen}»."), seen=raw)
        return None
    return int(value) if whole else value


async def _head(request: StaffRequest, db: Connection, sitting_id: int) -> SittingHead:
    scope = request.scope["user"].scope(REVIEW)
    head = await find_head(db, sitting_id, scope)
    require_whole(head, scope)
    return head


async def _said(db: Connection, sitting_id: int) -> dict[str, Override] | None:
    """None: it is not proctored."""
    said = await db.fetchval("select rules::text from sitting_watch where sitting_id = $1", sitting_id)
    return None if said is None else overrides_of(said)


def _page(
    request: StaffRequest, head: SittingHead, said: dict[str, Override] | None, form: Form | None
) -> Response[str]:
    own = {f"{kind}.{field}": value for kind, one in (said or {}).items() for field, value in one.said().items()}
    return page(
        request,
        "proctoring/weights.html",
        sitting=head,
        watched=said is not None,
        kinds={kind: EVENTS[kind] for kind in WEIGHING},
        fields={field: text for field, (text, _) in FIELDS.items()},
        house={f"{kind}.{field}": _typed(getattr(HOUSE[kind], field)) for kind in WEIGHING for field in FIELDS},
        values=form.values if form else {name: _typed(value) for name, value in own.items()},
        changed={name.partition(".")[0] for name in own},
        errors=form.errors if form else {},
        kept=request.query_params.get("kept") == "1",
        status=422 if form else 200,
    )


def _typed(value: float) -> str:
    """As somebody types it: without needless zeros."""
    return f"{value:g}".replace(".", ",")


ROUTES = [show, change]
