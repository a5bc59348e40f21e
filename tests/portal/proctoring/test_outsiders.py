"""Attacks from within: who has a part of the sitting, whose word is still wanted, and a child that sends what breaks pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.portal.proctoring.test_lists import file_of, lines_of
from tests.portal.proctoring.test_review import BREACH, FINE, next_of, reviewer, say_on_the_wall
from tests.portal.proctoring.test_wall import take, wall

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.proctoring.conftest import Looker

# An hour that no calendar has.
FAR_MS = 2**53 - 1


@pytest.fixture
def no_lot(house: House, watched: Scene) -> None:
    """Nobody is drawn, so that a test knows who comes."""
    house.sql("update sitting_review set sample_percent = 0 where sitting_id = $1", watched.id)


def event(house: House, watched: Scene, child: int, kind: str, at_ms: int, by: str = "child") -> None:
    """An event as the index puts it down."""
    house.sql(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms, data)
        values ($1, $2, 900, $3, $4, (extract(epoch from now()) * 1000)::bigint, jsonb_build_object('by', $5::text))
        """,
        *(watched.id, child, kind, at_ms, by),
    )


def held(house: House, watched: Scene) -> set[int]:
    return {
        row["attempt_id"] for row in house.sql("select attempt_id from watch_hand where sitting_id = $1", watched.id)
    }


# ---- territory (SAFETY P2)


def test_a_proctor_of_one_school_is_given_children_of_it_alone(house: House, watched: Scene) -> None:
    """However risky those of the other are; the count beside the button tells nothing of them either."""
    narrow = house.worker("proctor", school=watched.place.schools[1])
    take(narrow, watched)
    assert held(house, watched) == {watched.pupils[2]}
    told = narrow.get(f"/sittings/{watched.id}/wall/tiles").json()
    assert told["waiting"] == 0
    other = house.worker("proctor", region=watched.place.region)
    assert other.get(f"/sittings/{watched.id}/wall/tiles").json()["waiting"] == 2


def test_a_child_in_ones_hands_is_let_go_of_with_the_territory(house: House, watched: Scene) -> None:
    """The grant is narrowed while hands are full: pictures, acts and the page are not there with the next request."""
    login = house.person("proctor")
    one = house.visitor(login)
    take(one, watched)
    child = watched.pupils[0]
    assert one.get(f"/watch/{child}").status_code == 200
    house.sql(
        "update staff_grant set school_id = $2 where staff_id = (select id from staff where login = $1)",
        *(login, watched.place.schools[1]),
    )
    at = house.sql("select taken_ms from picture where attempt_id = $1", child)[0]["taken_ms"]
    for path in (
        f"/watch/{child}",
        f"/watch/{child}/deeds",
        f"/watch/{child}/live",
        f"/watch/{child}/pictures/1?at={at}",
    ):
        assert one.get(path).status_code == 404, path
    assert one.post(f"/watch/{child}/seal", {"shot": f"1-{at}"}).status_code == 404
    assert one.post(f"/watch/{child}/verdict", FINE).status_code == 404
    assert house.sql("select 1 from watch_look where attempt_id = $1", child) == []
    assert one.get(f"/watch/{watched.pupils[2]}").status_code == 200


def test_a_colleague_is_handed_children_of_his_territory_alone(house: House, watched: Scene) -> None:
    """Those that he may not look at stay where they are."""
    login = house.person("proctor", school=watched.place.schools[1])
    colleague = house.visitor(login)
    colleague.get("/account")
    to = house.sql("select id from staff where login = $1", login)[0]["id"]
    one = house.worker("proctor")
    take(one, watched)
    assert one.post(f"/sittings/{watched.id}/wall/over", {"to": str(to)}).status_code == 303
    went = house.sql("select attempt_id from watch_hand where staff_id = $1", to)
    assert [row["attempt_id"] for row in went] == [watched.pupils[2]]


def test_a_grant_of_a_class_takes_over_no_school(house: House, watched: Scene) -> None:
    """He could not look at one of them, and nobody else would."""
    login = house.person("proctor")
    colleague = house.visitor(login)
    colleague.get("/account")
    to = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "update staff_grant set school_id = $2, class_name = '6А' where staff_id = $1", to, watched.place.schools[1]
    )
    one = house.worker("proctor")
    take(one, watched)
    one.post(f"/sittings/{watched.id}/wall/over", {"to": str(to)})
    assert house.sql("select 1 from watch_hand where staff_id = $1", to) == []


def test_own_words_to_children_elsewhere_are_not_read(house: House, watched: Scene) -> None:
    """Nor sampled: who has one school has its words."""
    one = house.worker("proctor")
    take(one, watched)
    for child, words in zip(watched.pupils[1:], ("Терезені жап", "Шамды жақ"), strict=True):
        assert one.post(f"/watch/{child}/warn", {"sentence": "own", "own": words}).status_code == 303
    narrow = reviewer(house, school=watched.place.schools[1])
    where = f"/sittings/{watched.id}/verdicts/words"
    text = narrow.get(where).text
    assert "Шамды жақ" in text
    assert "Терезені жап" not in text
    ids = {
        row["words"]: row["id"]
        for row in house.sql("select id, words from watch_act where sitting_id = $1", watched.id)
    }
    assert narrow.post(f"{where}/{ids['Терезені жап']}", {"said": "fine"}).status_code == 404
    assert narrow.post(f"{where}/{ids['Шамды жақ']}", {"said": "fine"}).status_code == 303


@pytest.mark.parametrize("kind", ["parent", "guardian", "teacher", "oneself"])
def test_nobody_watches_or_judges_a_child_of_his_own(house: House, watched: Scene, no_lot: None, kind: str) -> None:
    """However far from his district it sits: neither given nor opened, and let go of with the tie."""
    assert no_lot is None
    child = watched.pupils[0]
    login = house.person("test-administrator")
    one = house.visitor(login)
    take(one, watched, 1)
    assert one.get(f"/watch/{child}").status_code == 200
    own, his = (
        house.sql(
            """
            insert into person (last_name, first_name, birth_date, language, region_code, school_id, name_key, search_key)
            values ('Бекова', 'Дана', '2015-03-14', 'kk', $1, $2, '', '') returning id
            """,
            *(watched.place.region, watched.place.schools[0]),
        )[0]["id"]
        for _ in range(2)
    )
    house.sql("update staff set person_id = $2 where login = $1", login, own)
    house.sql("update participant set person_id = $2 where id = $1", child, own if kind == "oneself" else his)
    if kind != "oneself":
        house.sql(
            """
            insert into person_tie (holder_id, attached_id, kind, since, made_by)
            select $1, $2, $3, current_date, id from staff where login = $4
            """,
            *(own, his, kind, login),
        )
    assert one.get(f"/watch/{child}").status_code == 404
    assert one.post(f"/watch/{child}/verdict", FINE).status_code == 404
    one.post(f"/sittings/{watched.id}/wall/back")
    take(one, watched)
    assert held(house, watched) == set(watched.pupils[1:])
    say_on_the_wall(house, watched, BREACH, child)
    assert next_of(one, watched) is None
    where = f"/sittings/{watched.id}/verdicts/open"
    assert one.post(where, {"attempt": str(child), "reason": "Көру"}).status_code == 422
    say_on_the_wall(house, watched, BREACH, child)
    assert one.get(f"/cases/{child}").status_code == 404
    said = {"channel": "phone", "told_by": "Анасы", "words": "Жоқ", "language": "kk"}
    assert one.post(f"/sittings/{watched.id}/appeals", {"attempt": str(child), **said}).status_code == 422
    # Nobody stands in a list whom its reader may not open.
    assert reviewer(house).post(f"/sittings/{watched.id}/appeals", {"attempt": str(child), **said}).status_code == 303
    for path in ("verdicts", "appeals"):
        assert f"№ {child % 100_000}<" not in one.get(f"/sittings/{watched.id}/{path}").text
        assert f"№ {child % 100_000}<" in reviewer(house).get(f"/sittings/{watched.id}/{path}").text


def test_the_review_lists_and_counts_nobody_of_ones_own_district(house: House, watched: Scene, no_lot: None) -> None:
    """What is in the list can be opened; the file is the list's."""
    assert no_lot is None
    child = watched.pupils[0]
    for _ in range(2):
        say_on_the_wall(house, watched, BREACH, child)
    login = house.person("test-administrator")
    neighbour = house.visitor(login)
    assert listed(neighbour, watched) == [child]
    assert neighbour.get(f"/cases/{child}").status_code == 200
    house.sql("update staff set own_school_id = $2 where login = $1", login, watched.place.schools[0])
    assert neighbour.get(f"/cases/{child}").status_code == 404
    assert listed(neighbour, watched) == []
    assert "Әзірге қорытынды жоқ" in neighbour.get(f"/sittings/{watched.id}/verdicts").text
    assert lines_of(file_of(house, neighbour, watched.id, "", "csv")) == []


# ---- the blind second opinion


def listed(visitor: Visitor, watched: Scene, query: str = "") -> list[int]:
    """Who stands in the list, in its order."""
    text = visitor.get(f"/sittings/{watched.id}/verdicts?{query}").text
    found = {child: text.find(f"№ {child % 100_000}<") for child in watched.pupils}
    return sorted((child for child, place in found.items() if place >= 0), key=found.__getitem__)


def test_neither_filter_nor_order_tells_what_the_first_said(house: House, watched: Scene, no_lot: None) -> None:
    """«Breach» and «unclear» look alike until one has spoken; the risk alone orders them."""
    assert no_lot is None
    first, second, _ = watched.pupils
    say_on_the_wall(house, watched, {"verdict": "too-dark"}, first)
    say_on_the_wall(house, watched, BREACH, second)
    one = reviewer(house)
    assert listed(one, watched, "state=breach") == listed(one, watched, "state=unclear") == [first, second]
    assert listed(one, watched) == [first, second], "the higher risk first"


def test_the_trail_does_not_tell_it_either(house: House, watched: Scene, no_lot: None) -> None:
    """The quality manager reads the trail and gives second opinions."""
    assert no_lot is None
    proctor = house.worker("proctor")
    take(proctor, watched, 1)
    child = watched.pupils[0]
    assert proctor.post(f"/watch/{child}/verdict", BREACH).status_code == 303
    manager = house.worker("quality-manager")
    for path in (f"/audit?act=watch.verdict.said&q={child}", f"/audit/export/csv?act=watch.verdict.said&q={child}"):
        text = manager.get(path).text
        assert str(child) in text
        assert "ересек адам" not in text
        assert "breach" not in text
        assert "helped" not in text
    row = house.sql("select after from audit where act = 'watch.verdict.said' and object_id = $1", str(child))[0]
    kept = house.sql("select kind, words from watch_verdict where id = $1", row["after"]["verdict"])[0]
    assert (kept["kind"], kept["words"]) == ("breach", BREACH["words"])


def test_who_has_read_a_settled_case_adds_no_opinion(house: House, watched: Scene, no_lot: None) -> None:
    """It would stand among those who did not know each other's."""
    assert no_lot is None
    child = watched.pupils[0]
    for _ in range(2):
        say_on_the_wall(house, watched, BREACH, child)
    one = reviewer(house)
    assert one.get(f"/cases/{child}").status_code == 200
    assert one.post(f"/review/{child}/verdict", FINE).headers["location"] == f"/cases/{child}"
    assert house.sql("select count(*) from watch_verdict where attempt_id = $1", child)[0][0] == 2
    assert next_of(one, watched) is None


# ---- what a child sends


def test_an_hour_of_another_age_breaks_no_page(house: House, watched: Scene) -> None:
    """The proctor's page, the wall, the review and the case stand, and soon."""
    child = watched.pupils[0]
    for kind, at_ms in (("copy", FAR_MS), ("paste", 0)):
        event(house, watched, child, kind, at_ms)
    one = house.worker("test-administrator")
    take(one, watched, 1)
    began = time.monotonic()
    page = one.get(f"/watch/{child}")
    assert page.status_code == 200
    assert page.text.count('text-anchor="') < 30
    assert wall(one, watched)
    assert (
        one.post(f"/sittings/{watched.id}/verdicts/open", {"attempt": str(child), "reason": "Көру"}).status_code == 303
    )
    assert one.get(f"/review/{child}").status_code == 200
    assert one.post(f"/review/{child}/verdict", BREACH).status_code == 303
    assert one.get(f"/cases/{child}").status_code == 200
    assert time.monotonic() - began < 20


def test_a_flood_of_one_kind_hides_no_other(house: House, watched: Scene) -> None:
    """Two thousand lines that came back, dated before all else: what the server saw is on the page all the same."""
    child, now = watched.pupils[0], int(time.time() * 1000)
    house.sql(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms)
        select $1, $2, n, 'line-back', $3::bigint - 3600000 + n, $3 from generate_series(1, 2000) n
        """,
        *(watched.id, child, now),
    )
    event(house, watched, child, "virtual-camera", now, by="server")
    one = house.worker("proctor")
    take(one, watched, 1)
    assert "камера түсірмеген" in one.get(f"/watch/{child}").text


def test_a_flood_beyond_what_is_kept_is_told_to_who_looks(house: House, watched: Scene, no_lot: None) -> None:
    """On the wall's page of the child, to the reviewer and in the case; of another child nothing is said."""
    assert no_lot is None
    child, other = watched.pupils[:2]
    house.sql("insert into watch_flood (attempt_id, sitting_id, left_out) values ($1, $2, 12345)", child, watched.id)
    proctor = house.worker("proctor")
    take(proctor, watched)
    words = "сақталатыннан көп оқиға"
    assert words in proctor.get(f"/watch/{child}").text
    assert "12\u202f345" in proctor.get(f"/watch/{child}").text
    assert words not in proctor.get(f"/watch/{other}").text
    proctor.post(f"/sittings/{watched.id}/wall/back")
    say_on_the_wall(house, watched, BREACH, child)
    one = reviewer(house)
    assert next_of(one, watched) == child
    assert words in one.get(f"/review/{child}").text
    assert one.post(f"/review/{child}/verdict", BREACH).status_code == 303
    assert words in one.get(f"/cases/{child}").text


def test_a_picture_of_tomorrow_does_not_stand_on_the_wall_for_ever(house: House, watched: Scene) -> None:
    """One sent ahead would hide all that come until then, and say that the child still sends."""
    child, now = watched.pupils[0], int(time.time() * 1000)
    house.sql(
        """
        insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset, byte_length,
                             key_id)
        select sitting_id, attempt_id, 7, kind, $2, received_ms, segment_id, 0, 9, key_id from picture where attempt_id = $1
        """,
        *(child, now + 80_000_000),
    )
    one = house.worker("proctor")
    take(one, watched, 1)
    text = wall(one, watched)
    assert f"/watch/{child}/pictures/1?" in text
    assert f"/watch/{child}/pictures/7?" not in text


# ---- numbers and methods that are none


def test_numbers_beyond_all_and_other_methods_are_nothing(house: House, watched: Scene, looker: Looker) -> None:
    """404 like what is absent; no look is on record for what was not given, and nothing is given without one."""
    one = house.worker("test-administrator")
    take(one, watched, 1)
    child = watched.pupils[0]
    for path in (
        f"/watch/{child}/pictures/99999999999?at=5",
        f"/watch/{child}/pictures/-1?at=5",
        f"/watch/{2**70}/pictures/1?at=5",
        f"/watch/{2**70}",
        f"/watch/{child}/live/{2**70}",
        f"/review/{2**70}",
        f"/cases/{2**70}",
        f"/appeals/{2**70}",
    ):
        assert one.get(path).status_code == 404, path
    officer = house.worker("child-safety-officer")
    assert officer.get(f"/safety/{2**70}").status_code == 404
    assert looker.asked == []
    assert house.sql("select 1 from watch_look where attempt_id = $1", child) == []
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
        answer = one.ask(method, f"/watch/{child}/pictures/1?at=5")
        assert answer.status_code in {204, 403, 404, 405}, method
        assert answer.content == b"" or "picture" not in answer.headers.get("content-type", "")


def test_every_look_is_on_record_whatever_the_browser_asks_beside(house: House, watched: Scene, looker: Looker) -> None:
    """A range, a copy it has, a prefetch: each is a look."""
    one, child = house.worker("proctor"), watched.pupils[0]
    take(one, watched, 1)
    besides = [
        {"range": "bytes=0-3"},
        {"if-none-match": "*"},
        {"if-modified-since": "Wed, 01 Jan 2031 00:00:00 GMT"},
        {"sec-purpose": "prefetch"},
        {"hx-request": "true"},
    ]
    for beside in besides:
        answer = one.get(f"/watch/{child}/pictures/1?at=5", headers=beside)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    assert (
        house.sql("select count(*) from watch_look where attempt_id = $1", child)[0][0]
        == len(looker.asked)
        == len(besides)
    )


# ---- what the portal's own role may not write


def test_the_portal_can_forge_no_proof_of_an_erasure(house: House, watched: Scene) -> None:
    """Neither that it was done nor that it holds: those columns are proctoring's."""

    async def run(statement: str) -> None:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            await db.execute(statement)
        finally:
            await db.close()

    for statement in (
        f"insert into picture_proof (sitting_id, attempt_id, checked_at, holds) values ({watched.id}, 1, now(), true)",
        f"insert into picture_erasure (sitting_id, attempt_id, reason, erased_at) values ({watched.id}, 1, 'asked', now())",
        "update picture_proof set holds = true",
        "update picture_erasure set erased_at = now()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            house.loop.run(run(statement))
