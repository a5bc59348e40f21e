"""The review: the queue's order, blindness, shared load, a sample by lot, and what is beyond the queue."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import pytest

from tests.portal.proctoring.conftest import PIXEL
from tests.portal.proctoring.test_wall import take

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.proctoring.conftest import Looker

BREACH = {"verdict": "helped", "words": "14:03 суретте ересек адам"}
FINE = {"verdict": "seen"}
# Which verdict a reason belongs to.
KIND = {"helped": "breach", "seen": "fine", "too-dark": "unclear"}


@pytest.fixture
def no_lot(house: House, watched: Scene) -> None:
    """Nobody is drawn, so that a test knows who comes."""
    house.sql("update sitting_review set sample_percent = 0 where sitting_id = $1", watched.id)


def reviewer(house: House, **where: object) -> Visitor:
    return house.worker("test-administrator", **where)


def say_on_the_wall(house: House, watched: Scene, said: dict[str, str], child: int) -> None:
    """A new proctor says it of this child."""
    staff = house.sql("select id from staff where login = $1", house.person("proctor"))[0]["id"]
    house.sql(
        "insert into watch_verdict (attempt_id, sitting_id, kind, reason, words, made_by) values ($1, $2, $3, $4, $5, $6)",
        *(child, watched.id, KIND[said["verdict"]], said["verdict"], said.get("words", ""), staff),
    )


def next_of(visitor: Visitor, watched: Scene) -> int | None:
    """What he is given."""
    answer = visitor.post(f"/sittings/{watched.id}/verdicts/next")
    assert answer.status_code == 303
    path = answer.headers["location"]
    return int(path.rsplit("/", 1)[1]) if path.startswith("/review/") else None


def test_differing_opinions_come_first_then_a_breach_then_what_is_unclear(
    house: House, watched: Scene, no_lot: None
) -> None:
    """However high the score of the others is."""
    assert no_lot is None
    first, second, third = watched.pupils
    say_on_the_wall(house, watched, {"verdict": "too-dark"}, first)
    say_on_the_wall(house, watched, BREACH, second)
    say_on_the_wall(house, watched, BREACH, third)
    say_on_the_wall(house, watched, FINE, third)
    seen = []
    one = reviewer(house)
    for _ in range(3):
        child = next_of(one, watched)
        assert child is not None
        seen.append(child)
        assert one.post(f"/review/{child}/verdict", FINE).status_code == 303
    assert seen == [third, second, first]
    assert next_of(one, watched) is None
    assert "Сізді күтіп тұрған ештеңе жоқ" in one.get(f"/sittings/{watched.id}/verdicts?none=1").text


def test_two_reviewers_are_never_given_the_same(house: House, watched: Scene, no_lot: None) -> None:
    """What is in a hand is given to nobody else, and comes back after half an hour; who asks again gets his own."""
    assert no_lot is None
    for child in watched.pupils[:2]:
        say_on_the_wall(house, watched, BREACH, child)
    one, two, three = reviewer(house), reviewer(house), reviewer(house)
    mine, theirs = next_of(one, watched), next_of(two, watched)
    assert {mine, theirs} == set(watched.pupils[:2])
    assert next_of(one, watched) == mine
    assert next_of(three, watched) is None
    assert three.get(f"/review/{mine}").status_code == 404
    house.sql("update watch_review_hand set taken_at = now() - interval '31 minutes' where attempt_id = $1", mine)
    assert one.get(f"/review/{mine}").status_code == 404
    assert next_of(three, watched) == mine
    assert three.post(f"/review/{mine}/back").status_code == 303
    assert next_of(one, watched) == mine


def test_an_opinion_is_blind_and_two_who_agree_settle_it(
    house: House, watched: Scene, no_lot: None, looker: Looker
) -> None:
    """Before his own word a reviewer reads nobody's, not even in the list; the looks are on record."""
    assert no_lot is None
    child = watched.pupils[0]
    say_on_the_wall(house, watched, BREACH, child)
    one = reviewer(house)
    listed = one.get(f"/sittings/{watched.id}/verdicts").text
    assert "екінші адамды күтіп тұр" in listed
    assert f'href="/cases/{child}"' not in listed
    assert one.get(f"/cases/{child}").status_code == 404
    assert next_of(one, watched) == child
    shown = one.get(f"/review/{child}").text
    assert "ересек адам" not in shown
    assert one.get(f"/cases/{child}").headers["location"] == f"/review/{child}"
    assert one.get(f"/review/{child}/pictures/1?at=5").content == PIXEL
    assert house.sql("select count(*) from watch_look where attempt_id = $1", child)[0][0] == 1
    assert one.post(f"/review/{child}/verdict", {**BREACH, "words": ""}).status_code == 422
    assert one.post(f"/review/{child}/verdict", BREACH).headers["location"] == f"/cases/{child}"
    case = one.get(f"/cases/{child}").text
    assert "ересек адам" in case
    assert "екі адам келісті" in case
    assert looker.asked
    # Settled: another reviewer reads it, too; the pictures are held until the term of appeals is over.
    assert reviewer(house).get(f"/cases/{child}").status_code == 200
    held = house.sql("select attempt_id from picture_hold where sitting_id = $1 and released_at is null", watched.id)
    assert [row["attempt_id"] for row in held] == [child]


def test_two_who_differ_wait_for_a_third(house: House, watched: Scene, no_lot: None) -> None:
    """And when the case turns out to be nothing, its pictures are held no longer."""
    assert no_lot is None
    child = watched.pupils[0]
    say_on_the_wall(house, watched, BREACH, child)
    for expected in (None, "fine"):
        one = reviewer(house)
        assert next_of(one, watched) == child
        assert one.post(f"/review/{child}/verdict", FINE).status_code == 303
        rulings = house.sql("select kind from watch_ruling where attempt_id = $1", child)
        assert [row["kind"] for row in rulings] == ([expected] if expected else [])
    assert house.sql("select 1 from picture_hold where attempt_id = $1 and released_at is null", child) == []


def test_the_sample_is_drawn_by_lot_again_and_again_the_same(house: House, watched: Scene) -> None:
    """From seed and attempt alone: scores may change, the sample does not; its share is what was set."""
    now = int(time.time() * 1000)
    house.sql("update watch_score set last_picture_ms = $2 where sitting_id = $1", watched.id, now)
    one = reviewer(house)
    rules = f"/sittings/{watched.id}/verdicts/rules"
    assert one.post(rules, {"sample_percent": "100", "appeal_days": "10"}).status_code == 303
    path = f"/sittings/{watched.id}/verdicts?state=sample"
    assert all(f"№ {child % 100_000}" in one.get(path).text for child in watched.pupils)
    assert one.post(rules, {"sample_percent": "3", "appeal_days": "10"}).status_code == 422
    assert one.post(rules, {"sample_percent": "25", "appeal_days": "0"}).status_code == 422
    assert one.post(rules, {"sample_percent": "25", "appeal_days": "10"}).status_code == 303
    seed = house.sql("select seed from sitting_review where sitting_id = $1", watched.id)[0]["seed"]
    drawn = {
        child
        for child in watched.pupils
        if int(hashlib.md5(f"{seed}:{child}".encode(), usedforsecurity=False).hexdigest()[:8], 16) < 2**30
    }
    for score in (0, 90):
        house.sql("update watch_score set score = $2 where sitting_id = $1", watched.id, float(score))
        text = one.get(path).text
        assert {child for child in watched.pupils if f"№ {child % 100_000}" in text} == drawn
    # Nobody but who has the whole sitting changes its rules.
    school = reviewer(house, school=watched.place.schools[0])
    assert school.post(rules, {"sample_percent": "0", "appeal_days": "10"}).status_code == 404


def test_the_list_is_filtered_and_ends_at_the_territory(house: House, watched: Scene, no_lot: None) -> None:
    """By school, region, event, device; who has one school sees the children of that school alone."""
    assert no_lot is None
    for child in watched.pupils:
        say_on_the_wall(house, watched, BREACH, child)
    path = f"/sittings/{watched.id}/verdicts"

    def seen(visitor: Visitor, query: str = "") -> set[int]:
        text = visitor.get(f"{path}?{query}").text
        return {child for child in watched.pupils if f"№ {child % 100_000}<" in text}

    one, all_of = reviewer(house), set(watched.pupils)
    assert seen(one) == all_of
    assert seen(one, f"region={watched.place.region}&school={watched.place.schools[1]}") == {watched.pupils[2]}
    assert seen(one, "region=XX") == set()
    assert seen(one, "event=tab-left") == {watched.pupils[0]}
    assert seen(one, "device=unknown") == all_of
    assert seen(one, "device=iphone") == set()
    assert seen(one, "state=waiting&sort=-score") == all_of
    narrow = reviewer(house, school=watched.place.schools[1])
    assert seen(narrow) == {watched.pupils[2]}
    assert next_of(narrow, watched) == watched.pupils[2]
    assert narrow.post(f"{path}/open", {"attempt": str(watched.pupils[0]), "reason": "Көру"}).status_code == 422
    # SAFETY R4: of the own district nobody is opened or given.
    neighbour = house.visitor(house.person("test-administrator", own=watched.place.schools[0]))
    assert next_of(neighbour, watched) is None
    assert neighbour.get(f"/cases/{watched.pupils[0]}").status_code == 404


def test_beyond_the_queue_a_reason_is_asked_and_counted(
    house: House, watched: Scene, no_lot: None, looker: Looker
) -> None:
    """P1: like a card of the registry; for half an hour."""
    assert no_lot is None
    one, child = reviewer(house), watched.pupils[1]
    path = f"/sittings/{watched.id}/verdicts/open"
    assert one.get(f"/review/{child}").status_code == 404
    assert one.get(f"/review/{child}/pictures/1?at=5").status_code == 404
    assert one.post(path, {"attempt": str(child), "reason": ""}).status_code == 422
    assert one.post(path, {"attempt": "7", "reason": "Көру"}).status_code == 422
    assert one.post(path, {"attempt": str(child), "reason": "Мектептен хат"}).status_code == 303
    assert one.get(f"/review/{child}").status_code == 200
    assert one.get(f"/review/{child}/pictures/1?at=5").status_code == 200
    assert one.get(f"/review/{child}/pictures/1?at=x").status_code == 404
    counted = house.sql("select count from reading where kind = 'card' order by day desc, staff_id desc limit 1")
    assert counted[0]["count"] == 1
    assert (
        house.sql("select reason from audit where act = 'watch.child.opened' order by id desc")[0][0] == "Мектептен хат"
    )
    at = house.sql("select taken_ms from picture where attempt_id = $1", child)[0]["taken_ms"]
    assert one.post(f"/review/{child}/seal", {"shot": f"1-{at}", "back": "review"}).status_code == 303
    assert f"/review/{child}/pictures/1" not in one.get(f"/review/{child}").text
    house.sql("update watch_opening set at = now() - interval '31 minutes' where attempt_id = $1", child)
    assert one.get(f"/review/{child}").status_code == 404


def test_a_day_has_its_measure_of_openings(house: House, watched: Scene) -> None:
    """Beyond it is a script: stopped, with an alarm on record, and nothing is opened."""
    login = house.person("test-administrator")
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "insert into reading (staff_id, day, kind, count) values ($1, (now() at time zone 'Asia/Almaty')::date, 'card', 400)",
        staff,
    )
    one = house.visitor(login)
    answer = one.post(f"/sittings/{watched.id}/verdicts/open", {"attempt": str(watched.pupils[0]), "reason": "Көру"})
    assert answer.status_code == 429
    assert house.sql("select 1 from watch_opening where staff_id = $1", staff) == []
    assert house.sql("select 1 from audit where act = 'reading.measure.met' and staff_id = $1", staff)


def test_a_proctor_has_no_review(house: House, watched: Scene) -> None:
    """Neither list nor cases nor files."""
    proctor = house.worker("proctor")
    take(proctor, watched, 1)
    for path in (f"/sittings/{watched.id}/verdicts", f"/cases/{watched.pupils[0]}", f"/review/{watched.pupils[0]}"):
        assert proctor.get(path).status_code == 403


def test_the_fairness_page_says_which_group_is_flagged_more_often(house: House, watched: Scene) -> None:
    """Small groups are not told; a group of twenty is, in words."""
    one = reviewer(house)
    path = f"/sittings/{watched.id}/fairness"
    assert "20 балалық топ әзірге жоқ" in one.get(path).text
    house.sql(
        """
        with made as (
            insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
            select $1, $2, 'Б', 'А', '2015-01-01', 5, 'kk', 'f' || n from generate_series(1, 40) n
            returning id, substr(external_id, 2)::int as n
        ), told as (
            insert into attempt (id, sitting_id, signed_in_at) select id, $1, now() from made
        ), seen as (
            insert into attempt_device (attempt_id, device, epoch, agent, first_seen_ms)
            select id, gen_random_uuid(), 1, case when n > 20 then 'Mozilla (Linux; Android 10) Mobile' else 'Mozilla (iPhone)' end, 1
            from made
        )
        insert into watch_score (attempt_id, sitting_id, score, reasons) select id, $1, case when n > 22 then 60 else 0 end, '[]' from made
        """,
        *(watched.id, watched.place.schools[0]),
    )
    text = one.get(path).text
    assert "есе жиі" in text
    assert "Android телефоны" in text
    assert reviewer(house, school=watched.place.schools[0]).get(path).status_code == 404
