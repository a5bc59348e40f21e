"""Texts of consents: versions that never change, in three languages, shown from their day on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import asyncpg
import pytest

from portal.core.consents.texts import PARTS
from portal.core.readings import today

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House


@pytest.fixture(autouse=True)
def after(house: House) -> Iterator[None]:
    yield
    house.sql("delete from consent_text where version <> '2026-1'")


def a_version(version: str, day: dt.date, **other: str) -> dict[str, str]:
    texts = {f"{part}_{tongue}": f"{part} {tongue} {version}" for part in PARTS for tongue in ("kk", "ru", "en")}
    return {"version": version, "in_force_from": day.strftime("%d.%m.%Y"), "draft": "1", **texts, **other}


def test_a_new_version_is_in_force_from_its_day(house: House) -> None:
    """The seeded draft until then; all is on record."""
    admin = house.worker("test-administrator")
    assert "заңгер тексереді" in admin.get("/consent-texts").text
    for version, day in (("2026-8", today() + dt.timedelta(days=30)), ("2026-7", today() + dt.timedelta(days=1))):
        assert admin.post("/consent-texts/new", a_version(version, day)).status_code == 303
    shown = admin.get("/consent-texts").text
    assert shown.index("2026-8") < shown.index("2026-7") < shown.index("2026-1")
    assert shown.partition("<strong>2026-1</strong>")[2][:200].count("күшінде") == 1
    acts = house.sql("select object_id from audit where act = 'consent.text.published' order by id desc limit 2")
    assert {row["object_id"] for row in acts} == {"2026-8", "2026-7"}


def test_a_version_never_changes(house: House) -> None:
    """Not by the page, not as the portal's own role."""
    admin = house.worker("test-administrator")
    tomorrow = today() + dt.timedelta(days=1)
    assert admin.post("/consent-texts/new", a_version("2026-1", tomorrow)).status_code == 422

    async def change(statement: str) -> None:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            await db.execute(statement)
        finally:
            await db.close()

    for statement in ("update consent_text set text = 'x'", "delete from consent_text"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            house.loop.run(change(statement))


@pytest.mark.parametrize(
    "wrong", [{"version": "жаңа"}, {"in_force_from": "01.01.2020"}, {"camera_ru": ""}, {"child_kk": "x" * 4001}]
)
def test_all_or_nothing(house: House, wrong: dict[str, str]) -> None:
    admin = house.worker("test-administrator")
    day = today() + dt.timedelta(days=1)
    assert admin.post("/consent-texts/new", a_version("2026-9", day) | wrong).status_code == 422
    assert house.sql("select 1 from consent_text where version <> '2026-1'") == []
