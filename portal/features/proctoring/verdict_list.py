"""The verdicts of a sitting as a file. Apart from the pages, for the worker writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from portal.core import territory
from portal.core.accounts.structs import Scope
from portal.core.db import Connection
from portal.core.files import exports
from portal.core.i18n import N_, of, t
from portal.features.proctoring import reviewing
from portal.features.proctoring.reviewing import DEVICES, STATES, Wanted
from portal.features.proctoring.structs import KINDS

if TYPE_CHECKING:
    from portal.core.files.tables import Cell

REVIEW = "watch.review"
MOST_ROWS = 20_000
WAITS = N_("waits for a second person")


async def _rows(db: Connection, wanted: dict[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    scope, staff, sitting_id = msgspec.convert(wanted.pop("scope"), Scope), wanted.pop("staff"), wanted.pop("sitting")
    rows, _ = await reviewing.rows(
        db, sitting_id, scope, staff, msgspec.convert(wanted, Wanted), sort="queue", limit=MOST_ROWS, offset=0
    )
    regions = {one.code: of(one.name) for one in await territory.regions(db)}
    head = [N_("Number"), N_("State"), N_("Decision"), N_("Opinions"), N_("Risk"), N_("School"), N_("Region")]
    head += [N_("Device"), N_("Last")]
    lines: list[list[Cell]] = [
        [row.number, t(STATES.get(row.shown, WAITS)), t(KINDS[row.outcome]) if row.outcome else "", row.opinions]
        + [round(row.score), of(row.school), regions.get(row.region, row.region), t(DEVICES[row.device]), row.last_at]
        for row in rows
    ]
    return [t(name) for name in head], lines


FILE = exports.register(exports.Export(code="verdicts", permission=REVIEW, title=N_("Verdicts"), rows=_rows))
