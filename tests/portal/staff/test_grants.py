"""A role has an end and a giver who renews it; unused, it sleeps (SAFETY P1)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from portal.core.accounts import school_year_end
from portal.core.accounts.grants import put_to_sleep
from portal.core.i18n import ASTANA

if TYPE_CHECKING:
    import asyncpg

    from tests.portal.conftest import House, Place


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-09-01", "2027-08-31"),
        ("2027-05-25", "2027-08-31"),
        ("2027-08-01", "2027-08-31"),
        ("2027-08-02", "2028-08-31"),
        ("2027-08-31", "2028-08-31"),
        ("2027-12-31", "2028-08-31"),
    ],
)
def test_the_school_year_ends_before_september(now: str, end: str) -> None:
    """In its last thirty days the next one's counts, so that roles can be renewed."""
    moment = dt.datetime.fromisoformat(f"{now}T00:00:00").replace(tzinfo=ASTANA)
    assert school_year_end(moment).strftime("%Y-%m-%d") == end


def grant_of(house: House, login: str) -> asyncpg.Record:
    """The only grant of a login."""
    return house.sql(
        "select g.* from staff_grant g join staff s on s.id = g.staff_id where s.login = $1 order by g.id desc limit 1",
        login,
    )[0]


def staff_id(house: House, login: str) -> int:
    """By its login."""
    return house.sql("select id from staff where login = $1", login)[0]["id"]


def sleep(house: House) -> None:
    """The worker's daily round."""

    async def run() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            await put_to_sleep(db, dt.datetime.now(dt.UTC))

    house.loop.run(run())


def unused_for(house: House, login: str, days: int) -> None:
    """As if nobody had used it."""
    house.sql(
        "update staff_grant set used_at = now() - $2 * interval '1 day' where id = $1",
        grant_of(house, login)["id"],
        days,
    )


def test_no_role_outlasts_the_school_year(house: House) -> None:
    """The form says so, and the function gives none."""
    boss, login = house.worker("super-admin"), house.person("proctor")
    late = (school_year_end(dt.datetime.now(dt.UTC)) + dt.timedelta(days=1)).strftime("%Y-%m-%d")
    answer = boss.post(f"/staff/{staff_id(house, login)}/grant", {"role": "proctor@myn-bala", "ends_on": late})
    assert answer.status_code == 422


def test_its_giver_renews_what_ends_soon(house: House) -> None:
    """Another may not, its holder never; the trail says before and after."""
    boss_login = house.person("super-admin")
    boss, other = house.visitor(boss_login), house.worker("super-admin")
    login = house.person("proctor", given_by=staff_id(house, boss_login))
    grant = grant_of(house, login)
    assert f"/grants/{grant['id']}/renew" in boss.get("/grants?mine=1").text
    assert "Roles that you gave end within 30 days or sleep: 1" in boss.get("/?lang=en").text
    assert f"/grants/{grant['id']}/renew" not in other.get(f"/grants?q={login}").text
    assert other.post(f"/grants/{grant['id']}/renew").status_code == 403
    own = grant_of(house, boss_login)["id"]
    assert boss.post(f"/grants/{own}/renew").status_code == 403
    assert boss.post(f"/grants/{grant['id']}/renew").status_code == 303
    end = school_year_end(dt.datetime.now(dt.UTC))
    assert grant_of(house, login)["ends_at"] == end
    record = house.sql("select before, after from audit where act = 'staff.grant.renewed' order by id desc limit 1")[0]
    assert record["before"]["ends_at"] == grant["ends_at"].isoformat()
    assert dt.datetime.fromisoformat(record["after"]["ends_at"]) == end
    assert f"/grants/{grant['id']}/renew" not in boss.get("/grants?mine=1").text


def test_when_the_giver_is_gone_another_renews(house: House) -> None:
    """His login is shut, or he gives no roles any more."""
    giver = house.person("super-admin")
    login = house.person("proctor", given_by=staff_id(house, giver))
    boss, grant = house.worker("super-admin"), grant_of(house, login)["id"]
    assert boss.post(f"/grants/{grant}/renew").status_code == 403
    house.sql("update staff_grant set ends_at = now() where id = $1", grant_of(house, giver)["id"])
    assert boss.post(f"/grants/{grant}/renew").status_code == 303


def test_unused_for_thirty_days_it_sleeps_until_woken(house: House) -> None:
    """The holder's pages close, the list shows it, its giver wakes it; one that is used stays awake."""
    boss_login = house.person("super-admin")
    boss = house.visitor(boss_login)
    idle, busy = (house.person("proctor", given_by=staff_id(house, boss_login)) for _ in range(2))
    visitor = house.visitor(idle)
    assert visitor.get("/sittings").status_code == 200
    unused_for(house, idle, 31)
    unused_for(house, busy, 31)
    house.visitor(busy).get("/sittings")
    sleep(house)
    assert grant_of(house, idle)["asleep_at"] is not None
    assert grant_of(house, busy)["asleep_at"] is None
    assert visitor.get("/sittings").status_code == 403
    grant = grant_of(house, idle)["id"]
    assert f"/grants/{grant}/wake" in boss.get(f"/grants?which=asleep&q={idle}").text
    assert boss.post(f"/grants/{grant}/wake").status_code == 303
    assert visitor.get("/sittings").status_code == 200
    acts = house.sql(
        "select act from audit where object_id = $1 and act like 'staff.grant.%' order by id",
        str(staff_id(house, idle)),
    )
    assert [row["act"] for row in acts] == ["staff.grant.slept", "staff.grant.woken"]


def test_the_last_who_could_wake_others_stays_awake(house: House) -> None:
    """All keyholders on holiday for a month: the one who was there last still opens the door."""
    keyholders = [house.person("super-admin") for _ in range(2)]
    house.sql("update staff_grant set used_at = now() - interval '40 days'")
    unused_for(house, keyholders[1], 35)
    try:
        sleep(house)
        awake = house.sql(
            "select s.login from staff_grant g join staff s on s.id = g.staff_id where g.role = 'super-admin' and g.ends_at > now() and g.asleep_at is null"
        )
        assert [row["login"] for row in awake] == [keyholders[1]]
    finally:
        house.sql("update staff_grant set asleep_at = null, used_at = now()")


def test_a_district_is_its_schools_and_no_others(house: House, make_sitting, place: Place) -> None:  # noqa: ANN001
    """Whoever holds a district sees its pupils, and not those of the region's other districts."""
    scene = make_sitting()
    district = house.sql("select district_id from school where id = $1", place.schools[0])[0]["district_id"]
    far = house.sql(
        "insert into district (region_code, name_kk, name_ru, name_en) values ($1, 'Шет', 'Шет', 'Shet') returning id",
        place.region,
    )[0]["id"]
    house.sql("update school set district_id = $2 where id = $1", place.schools[1], far)
    text = house.worker("myn-bala-coordinator", district=district).get(f"/sittings/{scene.id}/participants").text
    assert "Серікова" in text
    assert "Бекова" not in text


def test_a_class_opens_no_list_of_its_school(house: House, make_sitting, place: Place) -> None:  # noqa: ANN001
    """A narrower role is never read as the wider one."""
    scene = make_sitting()
    teacher = house.worker("myn-bala-school-manager", school=place.schools[0], class_name="5А")
    assert teacher.get(f"/sittings/{scene.id}").status_code == 404
    assert f"/sittings/{scene.id}/" not in teacher.get("/search?q=серік").text


def test_a_role_is_given_where_it_belongs(house: House, place: Place) -> None:
    """A working role in the project that was chosen, a project's own in its own, one of the house in none alone."""
    boss, login = house.worker("super-admin"), house.person("proctor")
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).strftime("%Y-%m-%d")
    address = f"/staff/{staff_id(house, login)}/grant"
    for role, project in (("test-developer@qabilet", "qabilet"), ("birge-tutor", "birge-oqy"), ("observer", None)):
        form = {"role": role, "ends_on": ends, "school": place.codes[0], "class_name": "5 ә"}
        assert boss.post(address, form).status_code == 303
        given = grant_of(house, login)
        assert (given["role"], given["project"]) == (role.partition("@")[0], project)
        assert (given["school_id"], given["class_name"]) == (place.schools[0], "5Ә")
    assert boss.post(address, {"role": "observer", "ends_on": ends, "class_name": "5А"}).status_code == 422


def test_a_person_of_two_projects_goes_from_one_to_the_other(house: House) -> None:
    """With what he may in each; into a third he has no way."""
    boss, login = house.worker("super-admin"), house.person("room-supervisor")
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).strftime("%Y-%m-%d")
    boss.post(f"/staff/{staff_id(house, login)}/grant", {"role": "test-developer@qabilet", "ends_on": ends})
    visitor = house.visitor(login)
    assert visitor.get("/live").status_code == 200
    assert visitor.post("/project", {"project": "birge-oqy"}).status_code == 404
    assert visitor.post("/project", {"project": "qabilet"}).status_code == 303
    assert visitor.get("/live").status_code == 403
    assert visitor.get("/sittings").status_code == 200
