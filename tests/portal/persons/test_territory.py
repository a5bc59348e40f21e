"""SAFETY P2: one place decides the territory; what has no filter at all still shows nothing of another region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from portal.core.accounts.structs import Scope
from portal.core.scope import within as within_scope
from tests.portal.laws.test_routes import addresses
from tests.portal.persons.conftest import an_iin, form_of, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place

# Handlers' queries as somebody in a hurry writes them: not one names a territory.
NAIVE = {
    "list": "select id from person",
    "count": "select count(*) from person",
    "projects": "select person_id from person_project",
    "numbers": "select person_id from person_iin",
    "twins": "select first_id from person_twin",
    "search": "select person_found(array['%seri%'], '{}', 2000, 'name')",
}


@pytest.fixture
def scene(house: House, place: Place, add: Callable[..., int]) -> list[int]:
    """Two alike in this test's region, with projects and numbers."""
    admin = house.worker("test-administrator")
    ids = [add(admin, iin=an_iin(), sex="f"), add(admin, school=str(place.schools[1]))]
    for person in ids:
        assert admin.post(f"/persons/{person}/projects/myn-bala", {"role": "pupil"}).status_code == 303
    return ids


@pytest.mark.parametrize("name", NAIVE)
def test_a_query_without_any_filter_shows_the_own_territory_alone(
    house: House, place: Place, scene: list[int], name: str
) -> None:
    """Nothing told: nothing. Another region: nothing of this one. The own: its rows. The country: all of them."""

    def seen(**told: object) -> list[int]:
        return sorted(row[0] for row in within(house, NAIVE[name], **told))  # type: ignore[arg-type]

    if name == "count":
        assert seen() == [0]
        assert seen(regions=f"{{{place.region}}}") == [2]
        return
    assert not seen()
    assert not set(seen(regions="{KZ-61}")) & set(scene)
    own = seen(regions=f"{{{place.region}}}")
    assert own
    assert set(own) <= set(scene)
    assert set(own) <= set(seen(country=True))
    if name in {"list", "search"}:
        assert seen(schools=f"{{{place.schools[1]}}}") == [scene[1]]


def test_what_was_told_ends_with_its_transaction(house: House, scene: list[int]) -> None:
    """The next user of a pooled connection begins with nothing."""

    async def run() -> tuple[int, int]:
        async with house.front.inner.state.pool.acquire() as db:
            async with within_scope(db, Scope(country=True)):
                inside = await db.fetchval("select count(*) from person")
            return inside, await db.fetchval("select count(*) from person")

    inside, after = house.loop.run(run())
    assert inside >= len(scene)
    assert after == 0


def test_writing_stays_within_the_territory_too(house: House, place: Place, scene: list[int]) -> None:
    """Row security refuses a row of another region, also to code that forgot to look."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        within(
            house,
            f"""
            insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
            values ('А', 'Б', 'a b', ' a b', '2015-01-01', 'kk', '{place.region}')
            """,
            regions="{KZ-61}",
        )
    assert within(house, f"update person set phone = 'x' where id = {scene[0]} returning id", regions="{KZ-61}") == []


def test_a_neighbour_finds_the_same_nothing_everywhere(house: House, place: Place, scene: list[int]) -> None:
    """404 alike for absent and forbidden, on every route of a person (from the route table); search and counts show none."""
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", f"N{place.region}")
    neighbour = house.worker("test-administrator", region=f"N{place.region}")
    first, second = scene
    walked = 0
    for method, path, _ in addresses():
        here = path.replace("/persons/999999999", f"/persons/{first}").replace("projects/csv", "projects/myn-bala")
        here = here.replace("/persons/twins/999999999/999999999", f"/persons/twins/{first}/{second}")
        if here != path:
            walked += 1
            told = {"reason": "тексеру", "role": "pupil", "do": "distinct"}
            answers = [neighbour.get(each) if method == "GET" else neighbour.post(each, told) for each in (here, path)]
            assert [answer.status_code for answer in answers] == [404, 404], (method, here)
    assert walked >= 9
    for query in ("q=серік", f"region={place.region}", f"school={place.schools[0]}", "sort=new"):
        page = neighbour.get(f"/persons?{query}&lang=en").text
        assert "Серікова" not in page, query
        assert "Persons: 0" in page, query
    assert "Серікова" not in neighbour.get("/persons/twins").text


def test_who_moved_yesterday_is_gone_today(house: House, place: Place, scene: list[int]) -> None:
    """The row follows its school; who saw it before sees it no more."""
    own = house.worker("test-administrator", school=place.schools[0])
    assert own.get(f"/persons/{scene[0]}").status_code == 200
    assert own.get(f"/persons/{scene[1]}").status_code == 404
    house.worker("test-administrator").post(f"/persons/{scene[0]}/edit", form_of(place, school=str(place.schools[1])))
    assert own.get(f"/persons/{scene[0]}").status_code == 404
    # A school that goes over to another district takes its persons along.
    other = f"M{place.region}"
    house.sql("insert into region values ($1, 'Жаңа', 'Новая', 'New')", other)
    house.sql("insert into district (region_code, name_kk, name_ru, name_en) values ($1, 'Б', 'Б', 'B')", other)
    house.sql(
        "update school set district_id = (select id from district where region_code = $1) where id = $2",
        *(other, place.schools[1]),
    )
    moved = house.sql("select distinct region_code from person where id = any ($1)", scene)
    assert [row["region_code"] for row in moved] == [other]


def test_who_acts_as_himself_sees_his_own_row_and_nobody_else(house: House, scene: list[int]) -> None:
    """The registry's row of a login is its holder's to read, whatever his roles; his neighbour's is not."""

    async def seen() -> list[int]:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            async with db.transaction():
                await db.execute("select set_config('elumiti.person', $1, true)", str(scene[0]))
                assert await db.execute("update person set phone = 'x'") == "UPDATE 0"
                return [row["id"] for row in await db.fetch("select id from person")]
        finally:
            await db.close()

    assert house.loop.run(seen()) == [scene[0]]
