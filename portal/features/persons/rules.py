"""What a person's data must hold, by form or by a row of a list. Pure: no database, no clock of its own."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.files.rows import GENDER_WORDS, LANGUAGE_WORDS, MOST_NAME, Row, RowError, parse_day
from portal.core.i18n import N_
from portal.core.iin import Iin, parse
from portal.core.names import fold, search_key
from portal.features.persons.structs import LANGUAGE_NAMES, SEXES, NewPerson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from portal.core.forms import Form
    from portal.core.iin import IinKeys
    from portal.features.persons.structs import Field

OLDEST = 1900
GRADES = range(13)
PHONE = re.compile(r"\+?[0-9][0-9 ()\-]{4,24}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
NOT_PHONE = N_("A telephone number like +7 700 000 00 00 is needed.")
NOT_EMAIL = N_("An address like aigul@example.kz is needed.")
NOT_DAY = N_("A date like 14.03.2015 is needed.")
NOT_BORN = N_("A birth date between 1900 and today is needed.")
NOT_OURS = N_("The IIN and the birth date or the sex do not fit together. One of them is a slip.")
NO_PLACE = N_("A school or a region of your territory is needed.")
YES = {"1", "+", "иә", "ия", "да", "yes", "true", "on"}
NO = {"", "0", "-", "жоқ", "нет", "no", "false", "off"}


class Ground(msgspec.Struct, frozen=True):
    """Where rows may lie: school code → id, district, region; and regions; all within the actor's territory."""

    schools: dict[str, tuple[int, int, str]]
    regions: frozenset[str]


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A checked row of an import, as its staging table has it."""

    row_number: int
    person: NewPerson
    name_key: str
    search_key: str
    attributes: dict[str, Any]
    sealed: bytes | None
    blind: bytes | None


def read_form(form: Form, today: date, place: tuple[str, int | None, int | None] | None) -> NewPerson:
    """A person from the form; what is wrong is noted there. `place`: region, district and school, already looked up."""
    born = parse_day(form.text("birth_date"))
    if born is None:
        form.miss("birth_date", NOT_DAY)
    elif not is_birth(born, today):
        form.miss("birth_date", NOT_BORN)
    if place is None:
        form.miss("region", NO_PLACE)
    phone, email = form.text("phone", required=False, most=30), form.text("email", required=False, most=120)
    if phone and not PHONE.fullmatch(phone):
        form.miss("phone", NOT_PHONE)
    if email and not EMAIL.fullmatch(email):
        form.miss("email", NOT_EMAIL)
    region, district, school = place or ("", None, None)
    grade = form.integer("grade", least=0, most=12, default=-1)
    return NewPerson(
        external_id=form.text("external_id", required=False, most=64) or None,
        last_name=form.text("last_name", most=MOST_NAME),
        first_name=form.text("first_name", most=MOST_NAME),
        middle_name=form.text("middle_name", required=False, most=MOST_NAME),
        birth_date=born or today,
        sex=form.choice("sex", ["", *SEXES], "") or None,
        language=form.choice("language", list(LANGUAGE_NAMES), "kk"),
        phone=phone,
        email=email,
        region_code=region,
        district_id=district,
        school_id=school,
        grade=grade if grade >= 0 else None,
        class_letter=form.text("class_letter", required=False, most=4),
    )


def is_birth(born: date, today: date) -> bool:
    """Whether somebody who lives can be born then."""
    return born.year >= OLDEST and born <= today


def read_iin(text: str, born: date, sex: str | None) -> Iin | str:
    """The number if it holds by itself and beside the other data, else the sentence."""
    iin = parse(text)
    if isinstance(iin, str):
        return iin
    return iin if iin.birth_date == born and sex in {None, iin.sex} else NOT_OURS


def attribute(field: Field, text: str) -> tuple[Any, str | None]:
    """A value of a project's field, or the sentence that says what it takes; None and no sentence: not given."""
    text = text.strip()
    if field.kind == "flag":
        word = text.lower()
        return (word in YES, None) if word in YES | NO else (None, N_("«Yes» or «no» is needed."))
    if not text:
        return None, N_("Please fill this in.") if field.required else None
    if field.kind == "number":
        try:
            return float(text.replace(",", ".").replace(" ", "")), None
        except ValueError:
            return None, N_("A number is needed.")
    if field.kind == "date":
        day = parse_day(text)
        return (day.isoformat(), None) if day else (None, NOT_DAY)
    if field.kind == "choice":
        for choice in field.choices:
            if text.lower() in {value.lower() for value in choice.values()}:
                return choice["code"], None
        return None, N_("Please choose one of the list.")
    return (text, None) if len(text) <= 500 else (None, N_("At most 500 characters."))


def read_attributes(form: Form, fields: Sequence[Field]) -> dict[str, Any]:
    """The project's own fields of a form."""
    values: dict[str, Any] = {}
    for field in fields:
        value, missed = attribute(field, form.values.get(f"a.{field.code}", ""))
        if missed:
            form.miss(f"a.{field.code}", missed)
        elif value is not None:
            values[field.code] = value
    return values


def check_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    ground: Ground,
    fields: Sequence[Field],
    keys: IinKeys,
    today: date,
    seen_row: Callable[[int], None] = lambda _number: None,
) -> tuple[list[Staged], list[RowError], list[RowError]]:
    """All rows checked: the good ones, every miss, and unusual names, which are taken as they stand."""
    good: list[Staged] = []
    errors: list[RowError] = []
    unusual: list[RowError] = []
    ids: dict[str, int] = {}
    numbers: dict[bytes, int] = {}
    for number, raw in rows:
        seen_row(number)
        row = _Row(number, raw, errors, unusual)
        made = row.staged(ground, fields, keys, today, ids, numbers)
        if made is not None:
            good.append(made)
    return good, errors, unusual


class _Row(Row):
    """One row under check."""

    def miss(self, column: str, message: str, **values: str) -> None:
        # An IIN is never shown back, nor is a slip of one: all but a digit of it is the number (SAFETY P5).
        if column == "iin":
            self.clean = False
            self.errors.append(RowError(row=self.number, column=column, seen="", message=message, values=values))
        else:
            super().miss(column, message, **values)

    def optional(self, column: str, form: re.Pattern[str], message: str) -> str:
        value = self.value(column)
        if value and not (len(value) <= 120 and form.fullmatch(value)):
            self.miss(column, message)
        return value

    def place(self, ground: Ground) -> tuple[str, int | None, int | None]:
        code, region = self.value("school_code"), self.value("region_code")
        if code:
            if code in ground.schools:
                school, district, region = ground.schools[code]
                return region, district, school
            self.miss("school_code", N_("There is no school with this code in your territory."))
        elif region not in ground.regions:
            self.miss("region_code" if region else "school_code", NO_PLACE)
        return region, None, None

    def number_of(
        self, keys: IinKeys, born: date, sex: str | None, numbers: dict[bytes, int]
    ) -> tuple[bytes, bytes] | None:
        text = self.value("iin")
        if not text:
            return None
        # A spreadsheet that took it for a number ate the zeros in front.
        iin = read_iin(re.sub(r"\.0+$", "", text).zfill(12), born, sex)
        if isinstance(iin, str):
            self.miss("iin", iin)
            return None
        sealed, blind = keys.seal(iin)
        if blind in numbers:
            self.miss("iin", N_("The same IIN stands in row {row}."), row=str(numbers[blind]))
        numbers.setdefault(blind, self.number)
        return sealed, blind

    def external(self, ids: dict[str, int]) -> str | None:
        value = self.value("external_id")
        if len(value) > 64:
            self.miss("external_id", N_("At most 64 characters."))
        elif value and not isinstance(parse(value), str):
            self.raw = {**self.raw, "external_id": ""}
            self.miss("external_id", N_("This looks like an IIN. Give another id: an IIN does not belong into lists."))
        elif value in ids:
            self.miss("external_id", N_("The same id stands in row {row}."), row=str(ids[value]))
        if value:
            ids.setdefault(value, self.number)
        return value or None

    def staged(
        self,
        ground: Ground,
        fields: Sequence[Field],
        keys: IinKeys,
        today: date,
        ids: dict[str, int],
        numbers: dict[bytes, int],
    ) -> Staged | None:
        region, district, school = self.place(ground)
        last, first = self.name("last_name", required=True), self.name("first_name", required=True)
        middle = self.name("middle_name", required=False)
        born = self.day("birth_date") or today
        if not is_birth(born, today):
            self.miss("birth_date", NOT_BORN)
        sex = self.word("sex", GENDER_WORDS, N_("«қ» or «е», «ж» or «м», or nothing."), required=False)
        language = self.word("language", LANGUAGE_WORDS, N_("«қаз», «рус» or «eng» is needed."), required=True)
        number = self.number_of(keys, born, sex, numbers)
        grade = None
        if self.value("grade"):
            grade = self.whole("grade", GRADES, N_("A grade from 0 to 12 is needed, or nothing."))
        letter = self.value("class_letter")
        if len(letter) > 4:
            self.miss("class_letter", N_("At most 4 characters."))
        phone, email = self.optional("phone", PHONE, NOT_PHONE), self.optional("email", EMAIL, NOT_EMAIL)
        external = self.external(ids)
        attributes: dict[str, Any] = {}
        for field in fields:
            value, missed = attribute(field, self.value(f"a.{field.code}"))
            if missed:
                self.miss(f"a.{field.code}", missed)
            elif value is not None:
                attributes[field.code] = value
        if not self.clean or language is None:
            return None
        return Staged(
            row_number=self.number,
            person=NewPerson(
                external_id=external,
                last_name=last,
                first_name=first,
                middle_name=middle,
                birth_date=born,
                sex=sex,
                language=language,
                phone=phone,
                email=email,
                region_code=region,
                district_id=district,
                school_id=school,
                grade=grade,
                class_letter=letter,
            ),
            name_key=fold(f"{last} {first}"),
            search_key=search_key(last, first, middle),
            attributes=attributes,
            sealed=number[0] if number else None,
            blind=number[1] if number else None,
        )
