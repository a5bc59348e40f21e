"""What staff tell players: absolute values, rising versions, and two persons where one is not enough (SAFETY J5)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from portal.core.controls import queries, rules
from portal.core.db import prepare

if TYPE_CHECKING:
    import httpx

    from tests.portal.conftest import House, Visitor


def tell(person: Visitor, sitting: int, scope: str, scope_id: object, kind: str, **more: object) -> httpx.Response:
    """Send the form."""
    values = {"scope": scope, "id": str(scope_id), "kind": kind, "reason": "Себебі бар", **more}
    return person.post(f"/sittings/{sitting}/controls", values)


def controls(house: House, sitting: int) -> list[tuple[str, str, dict[str, object]]]:
    """(scope, kind, body) in the order of versions."""
    rows = house.sql("select scope, kind, body from control where sitting_id = $1 order by version", sitting)
    return [(row["scope"], row["kind"], row["body"]) for row in rows]


def test_extra_time_is_absolute_and_adds_up(house: House, make_sitting) -> None:  # noqa: ANN001
    """10 minutes, then 5: the second control says 900 seconds; beyond 15 a second person is asked."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    for minutes in (10, 5):
        assert tell(admin, scene.id, "attempt", scene.pupils[0], "extra", minutes=minutes).status_code == 303
    assert controls(house, scene.id) == [("attempt", "extra", {"extra_s": 600}), ("attempt", "extra", {"extra_s": 900})]
    assert tell(admin, scene.id, "attempt", scene.pupils[0], "extra", minutes=1).status_code == 202
    assert len(controls(house, scene.id)) == 2


@pytest.mark.parametrize(
    ("scope", "kind", "status"),
    [
        ("attempt", "message", 303),
        ("school", "message", 303),
        ("region", "message", 202),
        ("sitting", "message", 202),
        ("school", "pause", 303),
        ("region", "pause", 202),
        ("sitting", "end", 202),
        ("school", "end", 202),
        ("attempt", "end", 303),
        ("sitting", "extra", 202),
        ("sitting", "erratum", 202),
    ],
)
def test_each_act_by_one_person(house: House, make_sitting, scope: str, kind: str, status: int) -> None:  # noqa: ANN001
    """202 «waits» is not done; what one person may do is done at once."""
    scene = make_sitting()
    ids = {
        "attempt": scene.pupils[0],
        "school": scene.place.schools[0],
        "region": scene.place.region,
        "sitting": scene.id,
    }
    more = {"text_kk": "Асықпа, уақыт жетеді.", "minutes": 5, "item": "q1"}
    answer = tell(house.worker("test-administrator"), scene.id, scope, ids[scope], kind, **more)
    assert answer.status_code == status, answer.text[-2000:]
    assert len(controls(house, scene.id)) == (status == 303)
    assert len(house.sql("select 1 from pending_act where sitting_id = $1", scene.id)) == (status == 202)


def test_a_hand_in_is_taken_back_by_two(house: House, make_sitting) -> None:  # noqa: ANN001
    """The attempt is open again and players hear of it."""
    scene = make_sitting()
    pupil = scene.pupils[0]
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), now())",
        pupil,
        scene.id,
    )
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    assert tell(admin, scene.id, "attempt", scene.pupils[1], "reopen").status_code == 409
    assert tell(admin, scene.id, "attempt", pupil, "reopen").status_code == 202
    act = house.sql("select id from pending_act where sitting_id = $1", scene.id)[0]["id"]
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    row = house.sql("select finished_at, reopened_at from attempt where id = $1", pupil)[0]
    assert row["finished_at"] is None
    assert row["reopened_at"] is not None
    assert [kind for _, kind, _ in controls(house, scene.id)] == ["reopen"]


def test_a_refused_act_is_never_done(house: House, make_sitting) -> None:  # noqa: ANN001
    """And whoever asked can withdraw."""
    scene = make_sitting()
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    for ending in ("refuse", "withdraw"):
        tell(admin, scene.id, "sitting", scene.id, "pause")
        act = house.sql("select id from pending_act where sitting_id = $1 and state = 'waits'", scene.id)[0]["id"]
        if ending == "refuse":
            assert second.post(f"/acts/{act}/decide", {"do": "refuse"}).status_code == 303
        else:
            assert second.post(f"/acts/{act}/withdraw").status_code == 404
            assert admin.post(f"/acts/{act}/withdraw").status_code == 303
    assert controls(house, scene.id) == []


def test_a_pause_is_given_back_whole(house: House, make_sitting) -> None:  # noqa: ANN001
    """Resume says all seconds that were ever given back; a second pause or resume is refused with a sentence."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    school = scene.place.schools[0]
    assert tell(admin, scene.id, "school", school, "resume").status_code == 409
    assert tell(admin, scene.id, "school", school, "pause").status_code == 303
    assert tell(admin, scene.id, "school", school, "pause").status_code == 409
    house.sql(
        "update control set body = jsonb_build_object('since_ms', (body ->> 'since_ms')::bigint - 120000) where sitting_id = $1",
        scene.id,
    )
    assert tell(admin, scene.id, "school", school, "resume").status_code == 303
    given = controls(house, scene.id)[-1][2]["paused_s"]
    assert isinstance(given, int)
    assert 120 <= given < 130


def test_nobody_acts_on_his_own_school_or_another_territory(house: House, make_sitting) -> None:  # noqa: ANN001
    """403 for the own school, 404 for what is not in scope, also a whole of which a part is foreign."""
    scene = make_sitting()
    teacher = house.worker("test-administrator", own=scene.place.schools[0])
    assert tell(teacher, scene.id, "school", scene.place.schools[0], "pause").status_code == 403
    assert tell(teacher, scene.id, "attempt", scene.pupils[0], "extra", minutes=5).status_code == 403
    local = house.worker("test-administrator", school=scene.place.schools[1])
    assert tell(local, scene.id, "school", scene.place.schools[0], "pause").status_code == 404
    assert tell(local, scene.id, "sitting", scene.id, "message", text_kk="Сәлем").status_code == 404
    assert tell(local, scene.id, "school", scene.place.schools[1], "pause").status_code == 303


def test_a_message_holds_no_address(house: House, make_sitting) -> None:  # noqa: ANN001
    """Plain text without links (SAFETY J5)."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    for text in ("http://evil.test", "www.evil.test қара", "мынаны аш: evil.kz"):
        assert tell(admin, scene.id, "attempt", scene.pupils[0], "message", text_kk=text).status_code == 422
    assert controls(house, scene.id) == []


def test_versions_rise_without_a_gap_under_a_crowd(house: House, make_sitting) -> None:  # noqa: ANN001
    """Twenty at once: each has a version of its own, in commit order."""
    scene = make_sitting()
    pool = house.front.inner.state.pool

    async def one(number: int) -> None:
        async with pool.acquire() as db, db.transaction():
            await db.execute("select id from sitting where id = $1 for update", scene.id)
            await queries.insert_control(
                db, scene.id, "sitting", str(scene.id), "message", {"text": {"kk": str(number)}}, 1
            )

    async def crowd() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    house.sql(
        "insert into staff (id, login, full_name, password_hash) overriding system value values (1, 'one', 'One', '-') on conflict do nothing"
    )
    house.loop.run(crowd())
    assert [
        row["version"] for row in house.sql("select version from control where sitting_id = $1 order by id", scene.id)
    ] == list(range(1, 21))


def test_the_live_view_counts_whom_it_may_show(house: House, make_sitting) -> None:  # noqa: ANN001
    """Signed in, writing, silent, finished; a coordinator of one school sees that school alone."""
    scene = make_sitting()

    async def fill() -> None:
        db = await asyncpg.connect(house.owner_url)
        await prepare(db)
        for pupil, finished in ((scene.pupils[0], False), (scene.pupils[2], True)):
            await db.execute(
                "insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), case when $3 then now() end)",
                *(pupil, scene.id, finished),
            )
        await db.close()

    house.loop.run(fill())
    text = house.worker("room-supervisor", region=scene.place.region).get(f"/sittings/{scene.id}/live?lang=en").text
    assert "<b>3</b><span>pupils</span>" in text
    assert "<b>1</b><span>silent for 90 s</span>" in text
    assert "<b>1</b><span>finished</span>" in text
    own = house.worker("room-supervisor", school=scene.place.schools[1]).get(f"/sittings/{scene.id}/live?lang=en").text
    assert "<b>1</b><span>pupils</span>" in own


BODIES: dict[str, dict[str, object]] = {
    "message": {"text": {"kk": "Сәлем", "ru": "Привет", "en": "Hello"}},
    "erratum": {"item": 77, "text": {"kk": "Түзету", "ru": "Правка", "en": "Correction"}},
    "extra": {"extra_s": 600},
    "pause": {"since_ms": 1_764_057_600_000},
    "resume": {"paused_s": 60},
    "end": {"at_ms": 1_764_057_600_000},
    "reopen": {"at_ms": 1_764_057_600_000},
    "stop": {"at_ms": 1_764_057_600_000},
    "restart": {"starts_ms": 1_764_057_600_000, "last_entry_ms": 1_764_058_500_000, "manifest": "0" * 64},
}


@pytest.mark.parametrize("kind", rules.KINDS)
def test_every_control_can_be_read_on_the_live_page_and_on_the_pupils(house: House, make_sitting, kind: str) -> None:  # noqa: ANN001
    """A page that fails is missing just when people call."""
    scene = make_sitting()
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
        *(scene.pupils[0], scene.id),
    )
    house.sql(
        "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, 'region', $2, 1, $3, $4)",
        *(scene.id, scene.place.region, kind, BODIES[kind]),
    )
    admin = house.worker("test-administrator")
    for path in (f"/sittings/{scene.id}/live", f"/sittings/{scene.id}/participants/{scene.pupils[0]}"):
        for language in ("kk", "ru", "en"):
            answer = admin.get(f"{path}?lang={language}")
            assert answer.status_code == 200, (path, language, answer.text[-500:])


def test_a_long_message_costs_nobody_his_time(house: House, make_sitting) -> None:  # noqa: ANN001
    """Refused for its length before its words are looked at; what is no file is small."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    began = time.monotonic()
    assert tell(admin, scene.id, "attempt", scene.pupils[0], "message", text_kk="x" * 200_000).status_code == 422
    assert tell(admin, scene.id, "attempt", scene.pupils[0], "message", text_kk="x" * 2_000_000).status_code in {
        400,
        413,
    }
    # It took minutes; a loaded machine may take a second.
    assert time.monotonic() - began < 5
    assert controls(house, scene.id) == []


def test_a_form_with_a_miss_pauses_nobody(house: House, make_sitting) -> None:  # noqa: ANN001
    """Also where the kind itself asks for nothing: a reason that is too long, a kind that is none."""
    scene = make_sitting()
    admin, school = house.worker("test-administrator"), scene.place.schools[0]
    assert tell(admin, scene.id, "school", school, "pause", reason="ә" * 501).status_code == 422
    assert tell(admin, scene.id, "school", school, "").status_code == 422
    assert controls(house, scene.id) == []
