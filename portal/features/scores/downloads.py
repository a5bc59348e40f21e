"""Results as files: XLSX, CSV, PDF and the codebook, made by scoring.report; each on record with its reader and purpose."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import TYPE_CHECKING

import msgspec
import polars as pl
from litestar import Response, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import download
from portal.core.forms import Form
from portal.core.i18n import current
from portal.core.permissions import allows
from portal.core.sittings import find_head, require_whole
from portal.features.scores import queries, tables
from portal.features.scores.problems import PurposeNeeded
from scoring import report, report_pdf

if TYPE_CHECKING:
    from portal.core.i18n import Language
    from scoring.run import Run
    from scoring.snapshot import Snapshot

KINDS = {
    "xlsx": ("report.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": ("report.pdf", "application/pdf"),
    "csv": ("report-csv.zip", "application/zip"),
    "codebook": ("codebook.csv", "text/csv; charset=utf-8"),
}


@post("/sittings/{sitting_id:int}/scores/{version:int}/download", guards=[allows("score.export")])
async def take_away(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[bytes]:
    """One file of a run. With names only for a purpose; both stand in the file and on record."""
    actor = request.scope["user"]
    form = Form(await request.form())
    kind = form.choice("kind", KINDS)
    names, purpose = form.ticked("names"), form.text("purpose", required=False, most=200)
    if names and not purpose:
        raise PurposeNeeded
    head = await find_head(db, sitting_id, actor.scope("score.export"))
    # A file holds the whole sitting: who has a part of the country reads the pages, which are cut to his part.
    require_whole(head, actor.scope("score.export"))
    row = await queries.find_run(db, sitting_id, version)
    settings = request.app.state.settings
    run, snapshot = await tables.load(settings, row), await tables.load_snapshot(settings, row)
    if names:
        snapshot = msgspec.structs.replace(
            snapshot, tables={**snapshot.tables, "persons": await _persons(db, sitting_id)}
        )
    body = await asyncio.to_thread(_body, kind, run, snapshot, current(), names, actor.full_name, purpose)
    async with db.transaction():
        fact: dict[str, object] = {"version": version, "kind": kind, "names": names, "purpose": purpose}
        await audit.record(db, actor, "score.file.exported", kind="sitting", object_id=sitting_id, after=fact)
    name, media = KINDS[kind]
    return download(body, f"{sitting_id}-{version}-{name}", media)


def _body(
    kind: str,
    run: Run,
    snapshot: Snapshot,
    language: Language,
    names: bool,  # noqa: FBT001 (called by name)
    reader: str,
    purpose: str,
) -> bytes:
    if kind == "pdf":
        return report_pdf.pdf_bytes(run, snapshot, language, names=names, reader=reader, purpose=purpose)
    made = report.export_tables(run, snapshot, language, names=names)
    if kind == "xlsx":
        return report.xlsx_bytes(run, made, language, reader=reader, purpose=purpose)
    if kind == "codebook":
        return report.csv_bytes(report.codebook(made, language), language)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in made.items():
            archive.writestr(f"{name}.csv", report.csv_bytes(table, language))
        # A CSV has no first page: its rules and who agreed to a list from home stand beside it (SAFETY D2).
        told = report.about(run, language, reader=reader, purpose=purpose)
        archive.writestr("about.txt", "\r\n".join(told).encode("utf-8-sig"))
        archive.writestr("codebook.csv", report.csv_bytes(report.codebook(made, language), language))
    return out.getvalue()


async def _persons(db: Connection, sitting_id: int) -> pl.DataFrame:
    rows = await db.fetch(
        """
        select id as attempt_id, external_id, last_name, first_name, middle_name, birth_date, class_letter
        from participant
        where sitting_id = $1
        order by id
        """,
        sitting_id,
    )
    schema = {"attempt_id": pl.Int64, "external_id": pl.String, "last_name": pl.String, "first_name": pl.String}
    schema |= {"middle_name": pl.String, "birth_date": pl.Date, "class_letter": pl.String}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


ROUTES = [take_away]
