"""A person's published results, as he himself may see them; nothing of a run that is not published (SAFETY J6)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import asyncpg
import polars as pl
import pytest

from infra.objects import open_bucket
from portal.features.results.taking import take_published

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene, Visitor

MARK = "17.5 of 30"


def store(house: House, scene: Scene, raw: float, *, published: bool) -> None:
    """A run with points for the first two pupils."""
    rows = [
        {"attempt_id": attempt, "raw": raw, "max_points": 30.0, "scaled_0_100": 58.3, "percentile_rank": 71.2}
        for attempt in scene.pupils[:2]
    ]
    body = io.BytesIO()
    pl.DataFrame(rows).write_parquet(body)
    version = house.sql(
        """
        insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary, published_at)
        select $1, coalesce(max(version), 0) + 1, '{}', '-', '-', '-', '{}', case when $2 then now() end
        from score_run where sitting_id = $1
        returning version
        """,
        *(scene.id, published),
    )[0]["version"]

    async def put() -> None:
        async with open_bucket(house.settings.objects, house.settings.score_bucket) as bucket:
            await bucket.ensure()
            await bucket.put(f"sittings/{scene.id}/runs/{version:04d}/scores.parquet", body.getvalue())

    house.loop.run(put())


def take(house: House) -> None:
    while house.loop.run(take_published(house.front.inner.state.pool, house.settings), 60):
        pass


@pytest.fixture
def pupil(house: House, add: Callable[..., int], scene: Scene) -> tuple[int, Visitor]:
    """Айгүл of the sitting, in the registry with a login of her own."""
    assert scene
    person = add(house.worker("test-administrator"))
    login = house.person("myn-bala-pupil")
    house.sql("update staff set person_id = $2 where login = $1", login, person)
    return person, house.visitor(login)


def test_it_works(house: House, scene: Scene, pupil: tuple[int, Visitor]) -> None:
    """Listed before the publication without points; with them after it, on a line over time."""
    person, own = pupil
    before = own.get("/me/results?lang=en").text
    assert "Сынақ" in before
    assert "did not write" in before
    store(house, scene, 17.5, published=False)
    take(house)
    assert MARK not in own.get("/me/results?lang=en").text
    house.sql("update score_run set published_at = now() where sitting_id = $1", scene.id)
    take(house)
    page = own.get("/me/results?lang=en").text
    assert MARK in page
    assert "<polyline" in page
    assert MARK in house.worker("test-administrator").get(f"/persons/{person}/results?lang=en").text


def test_a_link_to_a_pupils_page_stands_where_that_page_opens(
    house: House, scene: Scene, pupil: tuple[int, Visitor]
) -> None:
    """Whoever works in another project reads the results, and is led to no page that is not there for him."""
    person, own = pupil
    link = f'href="/sittings/{scene.id}/participants/{scene.pupils[0]}"'
    for reader, leads in (
        (house.worker("test-administrator"), True),
        (house.worker("test-administrator", project="qabilet"), False),
    ):
        page = reader.get(f"/persons/{person}/results").text
        assert "Сынақ" in page
        assert (link in page) is leads
        assert (reader.get(f"/sittings/{scene.id}/participants/{scene.pupils[0]}").status_code == 200) is leads
    assert link not in own.get("/me/results").text


def test_a_newer_run_replaces_and_an_excluded_attempt_has_none(
    house: House, scene: Scene, pupil: tuple[int, Visitor]
) -> None:
    """What was published last counts; who was left out since sees no points."""
    store(house, scene, 12.0, published=True)
    take(house)
    store(house, scene, 17.5, published=True)
    take(house)
    assert MARK in pupil[1].get("/me/results?lang=en").text
    house.sql(
        """
        insert into exclusion (attempt_id, sitting_id, excluded, reason, note, asked_by, agreed_by)
        select $1, $2, true, 'trial', '-', min(id), max(id) from staff
        """,
        *(scene.pupils[0], scene.id),
    )
    assert MARK not in pupil[1].get("/me/results?lang=en").text


@pytest.mark.parametrize("how", ["twin", "other-school", "other-day", "decided"])
def test_another_child_s_result_is_nobody_s(
    house: House, scene: Scene, pupil: tuple[int, Visitor], add: Callable[..., int], how: str
) -> None:
    """Two of one name, birth date and school: neither, until somebody decides; another school or day is another child."""
    person, own = pupil
    store(house, scene, 17.5, published=True)
    take(house)
    assert MARK in own.get("/me/results?lang=en").text
    if how in {"twin", "decided"}:
        twin = add(house.worker("test-administrator"))
        assert MARK not in own.get("/me/results?lang=en").text
        if how == "decided":
            house.sql(
                """
                with rule as (
                    insert into talent_rule (project, kind, title, share, per, made_by, state)
                    select 'myn-bala', 'top', '{}', 3, 'region', min(id), 'off' from staff returning id)
                insert into talent_unmatched (participant_id, rule_id, sitting_id, region_code, school_id, why, person_id, decided_by, decided_at)
                select $1, rule.id, $2, $3, $4, 'several', $5, (select min(id) from staff), now() from rule
                """,
                *(scene.pupils[0], scene.id, scene.place.region, scene.place.schools[0], person),
            )
            assert MARK in own.get("/me/results?lang=en").text
            assert twin
        return
    column, value = (
        ("school_id", str(scene.place.schools[1])) if how == "other-school" else ("birth_date", "2015-03-15")
    )
    house.sql(f"update person set {column} = '{value}' where id = $1", person)
    assert MARK not in own.get("/me/results?lang=en").text


def test_the_portal_s_role_reads_no_points_past_the_function(
    house: House, scene: Scene, pupil: tuple[int, Visitor]
) -> None:
    """A forgotten filter shows nothing: the columns are not its to read, and the function asks the territory itself."""
    store(house, scene, 17.5, published=True)
    take(house)

    async def run() -> int:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.fetch("select raw from result")
            return await db.fetchval("select count(*) from participations_of($1)", pupil[0])
        finally:
            await db.close()

    assert house.loop.run(run()) == 0
