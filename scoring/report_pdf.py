"""The report of a run as PDF: who took part, distribution, item table, regions, quota list with its rule.

The font (Roboto, Apache licence) is embedded and has all Kazakh letters. The same run gives the same bytes.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import polars as pl
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table, TableStyle

from scoring.report import about, export_tables
from scoring.words import CODEBOOK, SAY, Language

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

    from scoring.run import Run
    from scoring.snapshot import Snapshot

PLAIN, BOLD = "Roboto", "Roboto-Bold"
DEEP, SKY, STONE, FELT = (colors.HexColor(code) for code in ("#0B3A53", "#0079A8", "#5C6B78", "#F7F5F0"))
TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=9.5, leading=13)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7.5, leading=9.5)
SMALL_BOLD = ParagraphStyle("small-bold", parent=SMALL, fontName=BOLD, textColor=colors.white)
TITLE = ParagraphStyle("title", parent=TEXT, fontName=BOLD, fontSize=18, leading=23, textColor=DEEP)
HEAD = ParagraphStyle(
    "head", parent=TEXT, fontName=BOLD, fontSize=12, leading=16, textColor=DEEP, spaceBefore=8, spaceAfter=4
)
MARGIN = 18 * mm
ITEM_COLUMNS = ("code", "kind", "topic", "n", "facility", "omitted_share", "discrimination", "median_time_s")
REGION_COLUMNS = ("region", "participants", "scored", "mean_points", "median_points", "mean_percent")
QUOTA_COLUMNS = ("region", "rank_region", "attempt_id", "raw", "hard_points", "at_line")
QUOTA_NAMED = ("region", "rank_region", "last_name", "first_name", "school", "raw", "at_line")


def pdf_bytes(
    run: Run,
    snapshot: Snapshot,
    language: Language,
    *,
    names: bool = False,
    reader: str = "",
    purpose: str = "",
) -> bytes:
    """The report as PDF in a language; `names` puts the children's names into the quota list."""
    _register_fonts()
    tables = export_tables(run, snapshot, language, names=names)
    title = SAY.title.of(language)
    story: list[Flowable] = [_text(title, TITLE), _text(snapshot.facts.title.get(language, ""), HEAD)]
    story += [_text(line, TEXT) for line in about(run, language, reader=reader, purpose=purpose)]
    for form in tables["test"].to_dicts():
        story += _form(form, tables, language)
    story += _table(_regions(tables["groups"], snapshot, language), "groups", language)
    if "quota" in tables:
        columns = QUOTA_NAMED if names else QUOTA_COLUMNS
        story += _table(tables["quota"].select(columns), "quota", language)
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=title, author="El Úmiti", lang=language, invariant=1,
    )  # fmt: skip
    frame = Frame(MARGIN, MARGIN, A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN, id="page", showBoundary=0)
    footer = f"{run.sitting_id} · {run.version or '–'} · {run.result_hash[:16]}" + (f" · {reader}" if reader else "")

    def draw_footer(canvas: Canvas, _document: BaseDocTemplate) -> None:
        canvas.setFont(PLAIN, 7.5)
        canvas.setFillColor(STONE)
        canvas.drawString(MARGIN, 10 * mm, footer)
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, SAY.page.of(language, page=canvas.getPageNumber()))

    document.addPageTemplates([PageTemplate(id="page", frames=[frame], onPage=draw_footer)])
    document.build(story)
    return buffer.getvalue()


def form_line(form: dict[str, float | int | None], language: Language) -> str:
    """The figures of one form (a row of the table `test`) in one sentence."""
    figures = {
        "max": "max_points",
        "mean": "mean",
        "sd": "sd",
        "median": "median",
        "alpha": "alpha",
        "sem": "sem",
    }
    shown = {name: _number(form[column], language) for name, column in figures.items()}
    return SAY.form_line.of(language, form=form["form_id"], n=form["n"], items=form["items"], **shown)


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    for name, file in ((PLAIN, "Roboto-Regular.ttf"), (BOLD, "Roboto-Bold.ttf")):
        with as_file(files("font_roboto") / "files" / file) as path:
            pdfmetrics.registerFont(TTFont(name, str(path)))


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text), style)


def _form(form: dict[str, float | int | None], tables: dict[str, pl.DataFrame], language: Language) -> list[Flowable]:
    number = form["form_id"]
    counts = tables["distribution"].filter(pl.col("form_id") == number)
    highest = int(form["max_points"] or 0)
    found = dict(counts.select("points", "n").iter_rows())
    bars = [found.get(points, 0) for points in range(highest + 1)]
    items = tables["item_table"].filter(pl.col("form_id") == number)
    items = items.with_columns(median_time_s=(pl.col("median_time_ms") / 1000).round(0).cast(pl.Int64))
    return [
        Spacer(1, 4),
        _text(form_line(form, language), TEXT),
        _text(CODEBOOK.tables["distribution"].of(language), HEAD),
        _histogram(bars),
        _text(SAY.distribution_axes.of(language), SMALL),
        *_table(items.select(ITEM_COLUMNS), "item_table", language),
        _text(SAY.read_items.of(language), SMALL),
    ]


def _histogram(bars: list[int]) -> Drawing:
    drawing = Drawing(A4[0] - 2 * MARGIN, 150)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 30, 20, int(drawing.width) - 40, 120
    chart.data = [bars]
    chart.bars[0].fillColor = SKY
    chart.bars[0].strokeColor = None
    chart.barSpacing, chart.groupSpacing = 0, 1
    every = max(1, len(bars) // 12)
    chart.categoryAxis.categoryNames = [str(points) if points % every == 0 else "" for points in range(len(bars))]
    chart.categoryAxis.visibleTicks = 0
    for axis in (chart.categoryAxis, chart.valueAxis):
        axis.labels.fontName, axis.labels.fontSize, axis.strokeColor = PLAIN, 7, STONE
    chart.valueAxis.valueMin = 0
    chart.valueAxis.valueMax = max(1, *bars)
    chart.valueAxis.valueStep = max(1, -(-max(1, *bars) // 5))
    drawing.add(chart)
    return drawing


def _regions(groups: pl.DataFrame, snapshot: Snapshot, language: Language) -> pl.DataFrame:
    places = snapshot.tables["places"].select("region_code", region=f"region_{language}").unique().sort("region_code")
    rows = groups.filter(pl.col("split") == "region_code").join(
        places, left_on="value", right_on="region_code", how="left", maintain_order="left"
    )
    return rows.select(REGION_COLUMNS)


def _table(table: pl.DataFrame, name: str, language: Language) -> list[Flowable]:
    head = [_text(_short(CODEBOOK.columns[column].of(language)), SMALL_BOLD) for column in table.columns]
    body = [
        [_text(_shown(column, row[column], language), SMALL) for column in table.columns]
        for row in table.iter_rows(named=True)
    ]
    style = TableStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), DEEP),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, FELT]),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    width = (A4[0] - 2 * MARGIN) / max(1, table.width)
    return [
        _text(CODEBOOK.tables[name].of(language), HEAD),
        Table([head, *body], colWidths=[width] * table.width, repeatRows=1, style=style),
    ]


def _short(meaning: str) -> str:
    """The part of a codebook's sentence that names the column."""
    return re.split("[:;(]", meaning, maxsplit=1)[0].strip()


def _shown(column: str, value: object, language: Language) -> str:
    return SAY.value(column, value, language) if isinstance(value, str) else _number(value, language)


def _number(value: object, language: Language) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return (SAY.yes if value else SAY.no).of(language)
        case float():
            text = f"{value:.2f}".rstrip("0").rstrip(".")
            return text if language == "en" else text.replace(".", ",")
        case _:
            return str(value)
