"""Granting what the rule gives: once, whoever weighs and however often; with persons' acts, shown and on record."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from portal.core import given_back
from portal.core.db import open_pool
from tests.portal.live.test_controls import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene

MIN = 60_000


class Outing:
    """A sitting that began half an hour ago; its pupils started then. Times are minutes from T0."""

    def __init__(self, house: House, scene: Scene) -> None:
        self.house, self.scene = house, scene
        self.t0_ms = house.sql(
            "select (extract(epoch from starts_at) * 1000)::bigint as t from sitting where id = $1", scene.id
        )[0]["t"]
        house.sql("select make_sitting_partition($1)", scene.id)
        for pupil in scene.pupils:
            house.sql(
                "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), to_timestamp($3 / 1000.0))",
                *(pupil, scene.id, float(self.t0_ms)),
            )

    def out(self, step: str, first: float, last: float, *, over: bool = True) -> int:
        return self.house.sql(
            "insert into outage (step, began_ms, ended_ms, is_over) values ($1, $2, $3, $4) returning id",
            *(step, self.at(first), self.at(last), over),
        )[0]["id"]

    def tried(self, pupil: int, step: str, first: float, last: float) -> None:
        self.house.sql(
            "insert into tried values ($1, $2, 1, $3, $4, $5, $6)",
            *(pupil, uuid.uuid4(), self.scene.id, step, self.at(first), self.at(last)),
        )

    def at(self, minute: float) -> int:
        return self.t0_ms + round(minute * MIN)

    def weigh(self, times: int = 1) -> None:
        async def run() -> None:
            pool = await open_pool(self.house.settings.database_url, most=times)

            async def once() -> None:
                async with pool.acquire() as db:
                    while await given_back.weigh_once(db):
                        pass

            await asyncio.gather(*(once() for _ in range(times)))
            await pool.close()

        self.house.loop.run(run())

    def controls(self) -> list[tuple[str, dict[str, int]]]:
        rows = self.house.sql(
            "select scope_id, body from control where sitting_id = $1 and kind = 'credit' order by version",
            self.scene.id,
        )
        return [(row["scope_id"], row["body"]) for row in rows]


@pytest.fixture
def outing(house: House, make_sitting: Callable[..., Scene]) -> Outing:
    # An outage is everybody's: those of another test lie in the same half hour.
    house.sql("delete from outage")
    return Outing(house, make_sitting(starts_in_s=-30 * 60))


def test_given_once_by_two_at_once_and_shown_where_the_administrator_looks(house: House, outing: Outing) -> None:
    """Control, pages and audit say the same; who did not try has nothing; another region sees nothing."""
    unlucky, other, _ = outing.scene.pupils
    number = outing.out("resume", 10, 16)
    outing.tried(unlucky, "resume", 11, 16)
    outing.tried(other, "sign-in", 11, 16)
    outing.weigh(times=2)
    house.sql("update tried set weighed_at = null where sitting_id = $1", outing.scene.id)
    outing.weigh(times=2)
    assert outing.controls() == [(str(unlucky), {"credit_s": 300, "entry_s": 0})]
    (act,) = house.sql(
        "select staff_id, after from audit where act = 'control.credit.given' and object_id = $1", str(unlucky)
    )
    assert act["staff_id"] is None
    assert act["after"]["outages_ms"] == {str(number): 5 * MIN}
    assert house.sql("select audit_broken_at() as broken")[0]["broken"] is None
    admin = house.worker("test-administrator", region=outing.scene.place.region)
    base = f"/sittings/{outing.scene.id}"
    assert "5 мин 0 с" in admin.get(f"{base}/participants/{unlucky}").text
    assert "5 мин 0 с" in admin.get(f"{base}/controls/new?scope=attempt&id={unlucky}&kind=extra").text
    listed = admin.get(f"{base}/credits").text
    assert "Серікова" in listed
    assert "Әлиева" not in listed
    assert f"{base}/credits" in admin.get(f"{base}/live").text
    elsewhere = house.worker("test-administrator", school=outing.scene.place.schools[1])
    assert "Серікова" not in elsewhere.get(f"{base}/credits").text


def test_an_outage_that_is_written_down_later_still_counts(outing: Outing) -> None:
    """Postgres was away too: the tries are there first, then the outage; while it lasts nothing is weighed."""
    pupil = outing.scene.pupils[0]
    outing.tried(pupil, "resume", 11, 16)
    outing.weigh()
    assert outing.controls() == []
    number = outing.out("resume", 10, 12, over=False)
    outing.weigh()
    assert outing.controls() == []
    outing.house.sql(
        "update outage set ended_ms = $2, is_over = true, changed_at = clock_timestamp() where id = $1",
        number,
        outing.at(16),
    )
    outing.weigh()
    assert outing.controls() == [(str(pupil), {"credit_s": 300, "entry_s": 0})]


def test_what_a_person_gave_for_it_is_taken_off_and_nothing_is_ever_taken_back(house: House, outing: Outing) -> None:
    """Two minutes by hand after it began, then five more when the credit was there already."""
    pupil = outing.scene.pupils[0]
    admin = house.worker("test-administrator")
    assert tell(admin, outing.scene.id, "school", outing.scene.place.schools[0], "extra", minutes=2).status_code == 303
    outing.out("resume", 10, 16)
    outing.tried(pupil, "resume", 11, 16)
    outing.weigh()
    assert outing.controls()[-1] == (str(pupil), {"credit_s": 180, "entry_s": 0})
    assert tell(admin, outing.scene.id, "attempt", pupil, "extra", minutes=5).status_code == 303
    house.sql("update tried set weighed_at = null where sitting_id = $1", outing.scene.id)
    outing.weigh()
    assert len(outing.controls()) == 1
    # A second outage is counted on top, absolute.
    outing.out("resume", 20, 28)
    outing.tried(pupil, "resume", 20, 28)
    outing.weigh()
    assert outing.controls()[-1] == (str(pupil), {"credit_s": (5 + 8 - 2 - 5) * 60, "entry_s": 0})


def test_a_pause_of_that_time_is_not_given_twice_and_a_restart_begins_anew(house: House, outing: Outing) -> None:
    """A pause from 12 on gave that time back already; what the stopped form lost is no part of the reserve's clock."""
    pupil, second, _ = outing.scene.pupils
    house.sql(
        "insert into control (sitting_id, scope, scope_id, version, kind, body, made_at) values "
        "($1, 'attempt', $2, 1001, 'pause', $3, now()), ($1, 'attempt', $2, 1002, 'resume', $4, to_timestamp($5 / 1000.0))",
        *(outing.scene.id, str(pupil), {"since_ms": outing.at(12)}, {"paused_s": 120}, float(outing.at(14))),
    )
    starts = outing.at(25)
    house.sql(
        "insert into control (sitting_id, scope, scope_id, version, kind, body) values "
        "($1, 'attempt', $2, 1003, 'stop', $3), ($1, 'attempt', $2, 1004, 'restart', $4)",
        *(outing.scene.id, str(second), {"at_ms": outing.at(17)}),
        {"starts_ms": starts, "last_entry_ms": starts + 15 * MIN, "manifest": "0" * 64},
    )
    house.sql("update sitting set control_version = 1004 where id = $1", outing.scene.id)
    outing.out("resume", 10, 16)
    for one in (pupil, second):
        outing.tried(one, "resume", 11, 16)
    outing.weigh()
    assert outing.controls() == [(str(pupil), {"credit_s": 180, "entry_s": 0})]
    # On the reserve he could not come in at its T0: the entry stays open, and he has that form's whole time.
    outing.out("key", 24, 28)
    outing.tried(second, "key", 25, 28)
    outing.weigh()
    assert outing.controls()[-1] == (str(second), {"credit_s": 0, "entry_s": 180 + 300})
    assert house.sql("select leg from credit where attempt_id = $1", second)[0]["leg"] == 1


def test_the_cap_is_a_setting(house: House, outing: Outing) -> None:
    pupil = outing.scene.pupils[0]
    house.sql("insert into setting (name, value) values ('credit_cap', $1)", {"minutes": 4})
    try:
        outing.out("resume", 10, 29)
        outing.tried(pupil, "resume", 11, 29)
        outing.weigh()
    finally:
        house.sql("delete from setting where name = 'credit_cap'")
    assert outing.controls() == [(str(pupil), {"credit_s": 240, "entry_s": 0})]
    assert house.sql("select capped from credit where attempt_id = $1", pupil)[0]["capped"]


def test_many_pupils_are_given_in_turns(house: House, outing: Outing) -> None:
    """Versions rise one by one, and a round is short: nobody else waits long for the sitting or the audit."""
    scene = outing.scene
    house.sql(
        """
        insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
        select $1, $2, 'А', 'Б', '2015-03-14', 5, 'kk', 'many' || n from generate_series(1, 600) n
        """,
        *(scene.id, scene.place.schools[0]),
    )
    rows = house.sql("select id from participant where sitting_id = $1 and external_id like 'many%'", scene.id)
    many = [row["id"] for row in rows]
    house.sql(
        """
        insert into attempt (id, sitting_id, signed_in_at, started_at)
        select unnest($1::bigint[]), $2, now(), to_timestamp($3 / 1000.0)
        """,
        *(many, scene.id, float(outing.t0_ms)),
    )
    house.sql(
        "insert into tried select id, gen_random_uuid(), 1, $2, 'resume', $3, $4 from unnest($1::bigint[]) id",
        *(many, scene.id, outing.at(11), outing.at(16)),
    )
    outing.out("resume", 10, 16)
    began = time.monotonic()
    outing.weigh(times=2)
    assert time.monotonic() - began < 20
    rows = house.sql("select version from control where sitting_id = $1 order by version", scene.id)
    assert [row["version"] for row in rows] == list(range(1, 601))
