"""Reading a school: from its form and from a row of a list. Pure; what exists is passed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.core.files.rows import Row, RowError
from portal.core.i18n import N_
from portal.features.places.structs import COLUMNS, KINDS, NewSchool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.core.forms import Form

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}")
CODE_WANTED = N_("1 to 20 of Latin letters, digits and hyphens, for example 61-02-014.")
KIND_WORDS = {
    "school": {"", "school", "мектеп", "школа"},
    "centre": {"centre", "center", "орталық", "центр"},
}
MOST_NAME = 160


def read_form(form: Form, district_id: int | None, settlement_id: int | None) -> NewSchool:
    """The form's school; what is missing stands in the form's errors."""
    code = form.text("code", most=20).upper()
    if code and not CODE.fullmatch(code):
        form.miss("code", CODE_WANTED)
    name_kk = form.text("name_kk", most=MOST_NAME)
    if district_id is None:
        form.miss("district", N_("Please choose a district."))
    return NewSchool(
        code=code,
        kind=form.choice("kind", list(KINDS)),
        name_kk=name_kk,
        name_ru=form.text("name_ru", required=False, most=MOST_NAME) or name_kk,
        name_en=form.text("name_en", required=False, most=MOST_NAME) or name_kk,
        district_id=district_id or 0,
        settlement_id=settlement_id,
        contact_name=form.text("contact_name", required=False, most=120),
        contact_phone=form.text("contact_phone", required=False, most=40),
    )


def read_rows(
    rows: Iterator[tuple[int, dict[str, str]]],
    tree: Mapping[str, Mapping[str, int]],
    settlements: Mapping[tuple[int, str], int],
    taken: set[str],
) -> tuple[list[NewSchool], list[RowError]]:
    """The schools of a list and what is wrong in it. `tree`: region → district by name, within the territory of who asks."""
    good: list[NewSchool] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for number, raw in rows:
        row = Row(number, raw, errors, [])
        made = _read(row, tree, settlements)
        if made is None:
            continue
        if made.code in taken:
            row.miss("code", N_("There is a school with this code already."))
        elif made.code in seen:
            row.miss("code", N_("Row {row} has this code too."), row=str(seen[made.code]))
        else:
            seen[made.code] = number
            good.append(made)
    return good, errors


def _read(
    row: Row, tree: Mapping[str, Mapping[str, int]], settlements: Mapping[tuple[int, str], int]
) -> NewSchool | None:
    texts = {column.code: row.value(column.code) for column in COLUMNS}
    for column in COLUMNS:
        row.fits(column.code, texts[column.code], MOST_NAME)
        if column.required and not texts[column.code]:
            row.miss(column.code, N_("Please fill this in."))
    code = texts["code"].upper()
    if code and not CODE.fullmatch(code):
        row.miss("code", CODE_WANTED)
    kind = next((kind for kind, words in KIND_WORDS.items() if texts["kind"].lower() in words), None)
    if kind is None:
        row.miss("kind", N_("«School» or «centre» is needed."))
    region = texts["region_code"].upper()
    district = tree.get(region, {}).get(texts["district"].lower())
    if region and region not in tree:
        row.miss("region_code", N_("There is no such region in your territory."))
    elif texts["district"] and district is None:
        row.miss("district", N_("This region has no such district."))
    settlement = None
    if texts["settlement"] and district is not None:
        settlement = settlements.get((district, texts["settlement"].lower()))
        if settlement is None:
            row.miss("settlement", N_("This district has no such settlement. Add it first, or leave this empty."))
    if not row.clean or district is None or kind is None:
        return None
    return NewSchool(
        code=code,
        kind=kind,
        name_kk=texts["name_kk"],
        name_ru=texts["name_ru"] or texts["name_kk"],
        name_en=texts["name_en"] or texts["name_kk"],
        district_id=district,
        settlement_id=settlement,
        contact_name=texts["contact_name"],
        contact_phone=texts["contact_phone"],
    )
