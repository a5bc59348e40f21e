"""Persons of a test's own region, and numbers that hold."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from portal.core.iin import control_digit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor

serials = itertools.count(1)


def an_iin(born: str = "150314", century_and_sex: str = "6") -> str:
    """A number that nobody else of this run has."""
    while True:
        eleven = f"{born}{century_and_sex}{next(serials):04d}"
        digit = control_digit(eleven)
        if digit is not None:
            return f"{eleven}{digit}"


def form_of(place: Place, **values: object) -> dict[str, object]:
    """What the form of a person sends."""
    return {
        "last_name": "Серікова",
        "first_name": "Айгүл",
        "birth_date": "14.03.2015",
        "language": "kk",
        "region": place.region,
        "school": str(place.schools[0]),
        "grade": "5",
        "class_letter": "Ә",
        **values,
    }


@pytest.fixture
def add(place: Place) -> Callable[..., int]:
    """Add a person by the form; his id."""

    def run(visitor: Visitor, **values: object) -> int:
        answer = visitor.post("/persons/new", form_of(place, **values))
        assert answer.status_code == 303, answer.text[-3000:]
        return int(answer.headers["location"].split("/")[-1])

    return run


def within(house: House, statement: str, *, country: bool = False, regions: str = "{}", schools: str = "{}") -> list:
    """A statement as the portal's own role, after telling it a territory (or none)."""
    import asyncpg

    async def run() -> list:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            async with db.transaction():
                await db.execute(
                    "select set_config('elumiti.country', $1, true), set_config('elumiti.regions', $2, true), "
                    "set_config('elumiti.schools', $3, true)",
                    *("on" if country else "off", regions, schools),
                )
                return await db.fetch(statement)
        finally:
            await db.close()

    return house.loop.run(run())
