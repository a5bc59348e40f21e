"""Rows of the tree, and the columns of a list of schools."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

import msgspec

from portal.core.files.columns import Column
from portal.core.i18n import N_

SETTLEMENT_KINDS = {"city": N_("city"), "town": N_("town"), "village": N_("village")}
KINDS = {"school": N_("school"), "centre": N_("centre")}
COLUMNS = (
    Column("code", N_("School code"), True, "61-02-014"),
    Column("kind", N_("Kind"), False, "мектеп"),
    Column("name_kk", N_("Name in Kazakh"), True, "№14 жалпы білім беретін мектеп"),
    Column("name_ru", N_("Name in Russian"), False, "Общеобразовательная школа №14"),
    Column("name_en", N_("Name in English"), False, "Secondary school No. 14"),
    Column("region_code", N_("Region code"), True, "KZ-61"),
    Column("district", N_("District"), True, "Сайрам ауданы"),
    Column("settlement", N_("Settlement"), False, "Ақсу"),
    Column("contact_name", N_("Contact"), False, "Сәуле Ерболқызы"),
    Column("contact_phone", N_("Telephone"), False, "+7 700 000 00 00"),
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A filter of the list of schools."""

    words: str = ""
    region: str = ""
    district: int | None = None
    settlement: int | None = None
    kind: str = ""
    closed: bool = False

    @property
    def query(self) -> str:
        """As an address has it."""
        kept = {"q": self.words, "region": self.region, "district": self.district, "settlement": self.settlement}
        kept |= {"kind": self.kind, "closed": "1" if self.closed else ""}
        return urlencode({name: value for name, value in kept.items() if value})


class RegionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A region with what lies in it, within the asker's territory."""

    code: str
    name: dict[str, str]
    districts: int
    settlements: int
    schools: int


class DistrictRow(msgspec.Struct, frozen=True, kw_only=True):
    """A district of a region, with its settlements."""

    id: int
    name: dict[str, str]
    schools: int
    settlements: list[dict[str, object]]


class SchoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A school or a centre with its place."""

    id: int
    code: str
    kind: str
    name: dict[str, str]
    region_code: str
    region: dict[str, str]
    district_id: int
    district: dict[str, str]
    settlement_id: int | None
    settlement: dict[str, str] | None
    contact_name: str
    contact_phone: str
    closed_at: datetime | None

    @property
    def fact(self) -> dict[str, object]:
        """What the trail keeps."""
        return {
            "code": self.code,
            "kind": self.kind,
            "name": self.name,
            "district": self.district_id,
            "settlement": self.settlement_id,
            "contact_name": self.contact_name,
            "contact_phone": self.contact_phone,
            "closed": self.closed_at is not None,
        }


class ClassRow(msgspec.Struct, frozen=True, kw_only=True):
    """A class: the pupils of one grade and letter."""

    grade: int
    class_letter: str
    pupils: int


class NewSchool(msgspec.Struct, frozen=True, kw_only=True):
    """A school as a form or a row of a list says it, checked."""

    code: str
    kind: str
    name_kk: str
    name_ru: str
    name_en: str
    district_id: int
    settlement_id: int | None
    contact_name: str
    contact_phone: str
