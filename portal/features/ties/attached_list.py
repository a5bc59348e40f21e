"""The attached persons of a card as a file. Apart from the pages, for the worker writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.db import Connection
from portal.core.files import exports
from portal.core.i18n import N_, of, t
from portal.features.ties import queries
from portal.features.ties.structs import KINDS, Filter

if TYPE_CHECKING:
    from portal.core.files.tables import Cell


async def _rows(db: Connection, wanted: dict[str, Any]) -> tuple[list[str], list[list[Cell]]]:
    person = wanted.pop("person")
    rows, _ = await queries.attached(db, person, msgspec.convert(wanted, Filter), limit=exports.MOST_CHILDREN)
    head = [N_("Name"), N_("Class"), N_("School"), N_("As"), N_("Project"), N_("Since"), N_("Until")]
    lines: list[list[Cell]] = [
        [row.name, row.class_name, of(row.school), t(KINDS[row.kind]), of(row.project), row.since, row.until]
        for row in rows
    ]
    return [t(name) for name in head], lines


FILE = exports.register(
    exports.Export(code="attached", permission="tie.export", title=N_("Attached persons"), rows=_rows)
)
