"""Result tables for people: XLSX and CSV that open right in a Kazakh or Russian Excel, with a codebook.

Pseudonymous unless names are asked for. Text cells are typed strings and no formula is ever written (SAFETY
J10). The same run gives the same bytes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import xlsxwriter

from scoring.cells import guarded, unguarded
from scoring.moments import hundredths
from scoring.structs import TieAtLine
from scoring.words import CODEBOOK, SAY, Language

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from scoring.run import Run
    from scoring.snapshot import Snapshot

Tables = dict[str, pl.DataFrame]
# In the file's properties: a date that doesn't change with the day of the export.
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SHEET_NAME_LENGTH = 31
WIDEST = 60
PLACE = ("region", "district", "school_code", "school")
PERSON = ("external_id", "last_name", "first_name", "middle_name")
RANKING = (
    "rank_nation", "rank_region", "tied_nation", "tied_region", "attempt_id", *PERSON, *PLACE, "region_code",
    "grade", "gender", "language", "form_id", "mixed", "raw", "max_points", "equated", "unequated",
    "hard_points", "percent",
    "scaled_0_100", "scaled_100_200", "z", "t", "percentile_rank", "stanine", "right", "partial", "wrong",
    "omitted", "unreadable", "time_ms", "changes",
)  # fmt: skip
QUOTA = ("places", "at_line", *RANKING)
OTHERS = ("item_table", "response_counts", "test", "distribution", "groups", "left_out", "waiting")


def export_tables(run: Run, snapshot: Snapshot, language: Language, *, names: bool) -> Tables:
    """The tables that leave the platform, with columns that the codebook explains.

    `ranking` (and `quota`) carry region, district and school in the language and, with `names`, the
    children's names.
    """
    tables = run.tables()
    made = {"ranking": _placed(tables["scores"], snapshot, language, RANKING, names=names)}
    if "quota" in tables:
        made["quota"] = _placed(tables["quota"], snapshot, language, QUOTA, names=names)
    return made | {name: tables[name] for name in OTHERS}


def codebook(tables: Tables, language: Language) -> pl.DataFrame:
    """A row a column of the given tables: table, column, type, unit, meaning, headed in the language."""
    rows = [
        (table, column, told.type, told.unit, told.of(language))
        for table, frame in tables.items()
        for column in frame.columns
        for told in (CODEBOOK.columns[column],)
    ]
    head = [
        word.of(language) for word in (SAY.head_table, SAY.head_column, SAY.head_type, SAY.head_unit, SAY.head_meaning)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(head, pl.String), orient="row")


def csv_bytes(table: pl.DataFrame, language: Language) -> bytes:
    """A table as CSV for Excel: UTF-8 with its mark; kk and ru: «;» and decimal comma, en: «,» and point.

    Text cells that a spreadsheet would run get a leading '; `read_csv` takes it off. Numbers stay numbers,
    also negative ones.
    """
    western = language == "en"
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    safe = table.with_columns(pl.col(texts).map_elements(guarded, return_dtype=pl.String)) if texts else table
    text = safe.write_csv(separator="," if western else ";", decimal_comma=not western, line_terminator="\r\n")
    return b"\xef\xbb\xbf" + text.encode()


def read_csv(body: bytes, language: Language, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """What `csv_bytes` wrote, with the guards taken off; the importer's side."""
    western = language == "en"
    table = pl.read_csv(
        body.removeprefix(b"\xef\xbb\xbf"),
        separator="," if western else ";",
        decimal_comma=not western,
        schema=schema,
        empty_string_is_null=False,
    )
    texts = [name for name, kind in schema.items() if kind == pl.String]
    return table.with_columns(pl.col(texts).map_elements(unguarded, return_dtype=pl.String)) if texts else table


def about(run: Run, language: Language, *, reader: str = "", purpose: str = "") -> list[str]:
    """What stands on the first page of every export.

    The run, who took part, the rules, and who it was made for.
    """
    summary = run.summary
    lines = [
        SAY.run_line.of(
            language,
            sitting=run.sitting_id,
            version=run.version or "–",
            snapshot=run.snapshot_hash[:16],
            result=run.result_hash[:16],
            code=run.code_version,
        ),
        SAY.took_part.of(
            language,
            participants=summary.participants,
            scored=summary.scored,
            absent=summary.absent,
            excluded=sum(summary.excluded.values()),
        ),
        *(
            SAY.excluded_for.of(language, reason=SAY.value("reason", reason, language), n=n)
            for reason, n in sorted(summary.excluded.items())
        ),
        *(
            (SAY.voided if correction.rule is None else SAY.rekeyed).of(language, code=correction.code)
            for correction in run.parameters.corrections
        ),
    ]
    if summary.unequated:
        lines.append(SAY.unequated.of(language, n=summary.unequated))
    lines += [
        SAY.equated.of(
            language, form=one.form_id, slope=f"{one.slope:g}", intercept=f"{one.intercept:g}", source=one.source
        )
        for one in run.parameters.equating
    ]
    if summary.waiting_answers:
        lines.append(SAY.waiting.of(language, attempts=summary.waiting_attempts, answers=summary.waiting_answers))
    lines.append(SAY.tie_rule.of(language))
    if run.parameters.quota:
        lines.append((SAY.ties_in if run.parameters.tie_at_line is TieAtLine.ALL else SAY.ties_out).of(language))
    if summary.quota_from_home:
        lines.append(SAY.from_home.of(language, agreed=", ".join(sorted(set(run.parameters.home_quota_agreed)))))
    if reader or purpose:
        lines.append(SAY.made_for.of(language, reader=reader, purpose=purpose))
    return lines


def xlsx_bytes(run: Run, tables: Tables, language: Language, *, reader: str = "", purpose: str = "") -> bytes:
    """All tables as one workbook: a page about the run, a sheet a table, the codebook last."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": SAY.title.of(language), "author": "El Úmiti", "created": CREATED})
        head = book.add_format(
            {"bold": True, "bg_color": "#0B3A53", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"}
        )
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        page = book.add_worksheet(SAY.about.of(language)[:SHEET_NAME_LENGTH])
        page.set_column(0, 0, 110)
        page.write_string(0, 0, SAY.title.of(language), head)
        for row, line in enumerate(about(run, language, reader=reader, purpose=purpose), start=2):
            page.write_string(row, 0, line, wrapped)
        for name, table in tables.items():
            _sheet(book.add_worksheet(name[:SHEET_NAME_LENGTH]), table, head, language)
        _sheet(
            book.add_worksheet(SAY.codebook_name.of(language)[:SHEET_NAME_LENGTH]),
            codebook(tables, language),
            head,
            language,
        )
    return buffer.getvalue()


def files(
    run: Run, snapshot: Snapshot, language: Language, *, names: bool, reader: str, purpose: str
) -> dict[str, bytes]:
    """Everything an analyst takes away: report.xlsx, a CSV a table, and codebook.csv."""
    tables = export_tables(run, snapshot, language, names=names)
    made = {"report.xlsx": xlsx_bytes(run, tables, language, reader=reader, purpose=purpose)}
    made |= {f"{name}.csv": csv_bytes(table, language) for name, table in tables.items()}
    return made | {"codebook.csv": csv_bytes(codebook(tables, language), language)}


def _placed(
    scores: pl.DataFrame, snapshot: Snapshot, language: Language, columns: tuple[str, ...], *, names: bool
) -> pl.DataFrame:
    places = snapshot.tables["places"].select(
        "school_id",
        "school_code",
        *(pl.col(f"{what}_{language}").alias(what) for what in ("school", "district", "region")),
    )
    table = scores.with_columns(hard_points=hundredths(pl.col("hard_centi")))
    table = table.join(places, on="school_id", how="left", maintain_order="left")
    if names:
        persons = snapshot.tables["persons"].select("attempt_id", *PERSON)
        table = table.join(persons, on="attempt_id", how="left", maintain_order="left")
    return table.select(column for column in columns if names or column not in PERSON)


def _sheet(sheet: Worksheet, table: pl.DataFrame, head: Format, language: Language) -> None:
    sheet.freeze_panes(1, 0)
    for place, (name, kind) in enumerate(table.schema.items()):
        values = table[name].to_list()
        shown = [_shown(value, language) for value in values]
        sheet.write_string(0, place, name, head)
        for row, value in enumerate(shown, start=1):
            if isinstance(value, str):
                sheet.write_string(row, place, value)
            elif value is not None:
                sheet.write_number(row, place, value)
        longest = max((len(str(value)) for value in shown[:500] if value is not None), default=0)
        sheet.set_column(place, place, min(WIDEST, max(longest, len(name)) + 2 + 2 * kind.is_float()))
    if table.width and table.height:
        sheet.autofilter(0, 0, table.height, table.width - 1)


def _shown(value: object, language: Language) -> str | float | None:
    match value:
        case None:
            return None
        case bool():
            return (SAY.yes if value else SAY.no).of(language)
        case int() | float():
            return round(value, 6)
        case _:
            return str(value)
