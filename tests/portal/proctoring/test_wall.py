"""SAFETY R4: a proctor sees the children in his hands, by number, and each look is on record before it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.proctoring.conftest import PIXEL

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.proctoring.conftest import Looker


@pytest.fixture
def proctor(house: House) -> Visitor:
    return house.worker("proctor")


def wall(visitor: Visitor, scene: Scene) -> str:
    """His wall."""
    answer = visitor.get(f"/sittings/{scene.id}/wall")
    assert answer.status_code == 200
    return answer.text


def take(visitor: Visitor, scene: Scene, how_many: int = 10) -> None:
    """Take some."""
    assert visitor.post(f"/sittings/{scene.id}/wall/take", {"how_many": str(how_many)}).status_code == 303


def happen(house: House, scene: Scene, attempt: int, kind: str, seq: int, after_ms: int = 1000) -> None:
    """An event that reached us."""
    house.sql(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms)
        select $1, $2, $3, $4, at, at from (select (extract(epoch from now()) * 1000)::bigint + $5 as at) n
        """,
        *(scene.id, attempt, seq, kind, after_ms),
    )


def test_who_watches_opens_nobody_by_name(house: House, watched: Scene, proctor: Visitor) -> None:
    """SAFETY R4: the number in the wall's address leads to no name; who keeps the hall knows names and sees no wall."""
    take(proctor, watched)
    child = watched.pupils[0]
    named = [
        f"/sittings/{watched.id}/participants/{child}",
        f"/sittings/{watched.id}/participants",
        f"/sittings/{watched.id}/live",
        f"/sittings/{watched.id}/room-codes",
    ]
    assert proctor.get(f"/watch/{child}").status_code == 200
    assert [proctor.get(path).status_code for path in (*named, "/receipts")] == [403] * 5
    assert f"/sittings/{watched.id}/participants" not in proctor.get("/search?q=Серікова").text
    assert proctor.post(f"{named[0]}/lock", {"locked": "yes"}).status_code == 403
    keeper = house.worker("room-supervisor", school=watched.place.schools[0])
    assert [keeper.get(path).status_code for path in named] == [200] * 4
    assert keeper.get(f"/sittings/{watched.id}/wall").status_code == 403
    assert keeper.get(f"/watch/{child}").status_code == 403


def test_the_riskiest_come_first_and_nobody_has_a_name(watched: Scene, proctor: Visitor) -> None:
    """By number and by what happened, in words."""
    take(proctor, watched)
    text = wall(proctor, watched)
    places = [text.index(f'href="/watch/{attempt}"') for attempt in watched.pupils]
    assert places == sorted(places)
    assert "беттен шықты" in text
    for word in ("Серікова", "Айгүл", *watched.place.codes):
        assert word not in text
        assert word not in proctor.get(f"/watch/{watched.pupils[0]}").text


def test_two_proctors_never_have_the_same_child(house: House, watched: Scene) -> None:
    """Also when both take at the same moment; who goes away gives his back."""
    first, second = house.worker("proctor"), house.worker("proctor")
    take(first, watched, 2)
    take(second, watched, 3)
    held = house.sql("select attempt_id, staff_id from watch_hand where sitting_id = $1", watched.id)
    assert len({row["attempt_id"] for row in held}) == len(held) == 3
    assert len({row["staff_id"] for row in held}) == 2
    assert second.get(f"/watch/{watched.pupils[0]}").status_code == 404
    house.sql("update watch_hand set seen_at = now() - interval '3 minutes' where sitting_id = $1", watched.id)
    take(second, watched, 3)
    assert second.get(f"/watch/{watched.pupils[0]}").status_code == 200
    assert first.get(f"/watch/{watched.pupils[0]}").status_code == 404


def test_nobody_watches_the_children_of_his_own_district(house: House, watched: Scene) -> None:
    """However many he takes."""
    neighbour = house.visitor(house.person("proctor", own=watched.place.schools[1]))
    take(neighbour, watched)
    assert house.sql("select count(*) from watch_hand where sitting_id = $1", watched.id)[0][0] == 0


def test_a_picture_is_given_with_the_viewers_name_and_the_look_on_record(
    house: House, watched: Scene, proctor: Visitor, looker: Looker
) -> None:
    """And for a child that is not in his hands it is not there, nor is anything on record of it."""
    take(proctor, watched, 1)
    answer = proctor.get(f"/watch/{watched.pupils[0]}/pictures/1?at=123")
    assert answer.content == PIXEL
    assert answer.headers["cache-control"] == "no-store"
    (path, by, key), *_ = looker.asked
    assert path == f"/v1/look/{watched.id}/{watched.pupils[0]}/1"
    assert "(p" in by
    assert key == "Bearer look"
    assert house.sql("select count(*) from watch_look where attempt_id = $1", watched.pupils[0])[0][0] == 1
    assert proctor.get(f"/watch/{watched.pupils[1]}/pictures/1?at=123").status_code == 404
    assert house.sql("select count(*) from watch_look where attempt_id = $1", watched.pupils[1])[0][0] == 0
    assert proctor.get(f"/watch/{watched.pupils[0]}/pictures/404?at=123").status_code == 404
    for at in ("", "x", "9" * 40):
        assert proctor.get(f"/watch/{watched.pupils[0]}/pictures/1?at={at}").status_code == 404
    assert len(looker.asked) == 2


def test_a_verdict_has_a_reason_and_is_blind(house: House, watched: Scene) -> None:
    """Said once; a breach needs words; the second reads the first's after his own; two who agree settle it."""
    child = watched.pupils[0]
    first, second = house.worker("proctor"), house.worker("proctor")
    take(first, watched, 1)
    said = {"verdict": "helped", "words": "14:03 суретте ересек адам"}
    assert first.post(f"/watch/{child}/verdict", {**said, "words": ""}).status_code == 422
    assert first.post(f"/watch/{child}/verdict", {**said, "verdict": "nothing"}).status_code == 422
    assert first.post(f"/watch/{child}/verdict", said).status_code == 303
    assert first.post(f"/watch/{child}/verdict", {"verdict": "seen"}).status_code == 303
    assert house.sql("select kind from watch_verdict where attempt_id = $1", child)[0]["kind"] == "breach"
    assert first.post(f"/sittings/{watched.id}/wall/back").status_code == 303
    take(second, watched, 1)
    assert "ересек адам" not in second.get(f"/watch/{child}").text
    assert second.post(f"/watch/{child}/verdict", said | {"words": "Көлеңке"}).status_code == 303
    assert "14:03" in second.get(f"/watch/{child}").text
    review = house.worker("quality-manager").get(f"/sittings/{watched.id}/verdicts").text
    assert "Ереже бұзылды" in review
    acts = house.sql("select count(*) from audit where act = 'watch.verdict.said' and object_id = $1", str(child))
    assert acts[0][0] == 2


def test_a_proctor_reads_whether_his_verdicts_stood(house: House, watched: Scene, proctor: Visitor) -> None:
    """His own alone: it waits, it stands, it was decided otherwise; another's verdict is on nobody else's wall."""
    take(proctor, watched, 3)
    for child, said in zip(watched.pupils, ("breach", "breach", "fine"), strict=True):
        reason = "seen" if said == "fine" else "helped"
        form = {"verdict": reason, "words": "14:03"}
        assert proctor.post(f"/watch/{child}/verdict", form).status_code == 303
    text = wall(proctor, watched)
    assert text.count("тағы бір пікірді күтіп тұр") == 2
    assert text.count("ешкім қайта қараған жоқ") == 1
    insert = "insert into watch_verdict (attempt_id, sitting_id, kind, reason, made_by) values ($1, $2, $3, 'x', $4)"
    for child, kinds in ((watched.pupils[0], ["breach"]), (watched.pupils[1], ["fine", "fine"])):
        for kind in kinds:
            other = house.sql("select id from staff where login = $1", house.person("proctor"))[0]["id"]
            house.sql(insert, child, watched.id, kind, other)
    text = wall(proctor, watched)
    assert ">күшінде<" in text
    assert "басқаша шешілді: Бәрі дұрыс" in text
    assert 'id="said"' not in wall(house.worker("proctor"), watched)


def test_seen_and_fine_goes_behind_until_something_new_happens(house: House, watched: Scene, proctor: Visitor) -> None:
    """The order of the wall."""
    take(proctor, watched)
    child, other = watched.pupils[0], watched.pupils[1]
    assert proctor.post(f"/watch/{child}/fine").status_code == 303
    text = wall(proctor, watched)
    assert text.index(f"/watch/{child}") > text.index(f"/watch/{other}")
    happen(house, watched, child, "line-lost", 5)
    text = wall(proctor, watched)
    assert text.index(f"/watch/{child}") > text.index(f"/watch/{other}")
    happen(house, watched, child, "tab-left", 6)
    text = wall(proctor, watched)
    assert text.index(f"/watch/{child}") < text.index(f"/watch/{other}")


def test_a_sitting_without_proctoring_says_so(house: House, make_sitting, proctor: Visitor) -> None:  # noqa: ANN001
    """And nobody can be taken."""
    scene = make_sitting()
    assert "прокторинг жоқ" in wall(proctor, scene)
    take(proctor, scene)
    assert house.sql("select count(*) from watch_hand where sitting_id = $1", scene.id)[0][0] == 0


def test_looks_and_verdicts_are_only_added(house: House, watched: Scene, proctor: Visitor) -> None:
    """The portal's own role can neither change nor delete them."""
    import asyncpg

    take(proctor, watched, 1)

    async def run(statement: str) -> str:
        db = await asyncpg.connect(house.settings.database_url)
        try:
            return await db.execute(statement)
        finally:
            await db.close()

    for statement in (
        "update watch_look set seq = 0",
        "delete from watch_look",
        "update watch_verdict set kind = 'fine'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            house.loop.run(run(statement))


def test_an_event_says_its_length_and_a_strange_length_breaks_no_page(
    house: House, watched: Scene, proctor: Visitor
) -> None:
    """A phone sends what it likes as a length; the page of the child stands all the same."""
    take(proctor, watched)
    child = watched.pupils[0]
    for seq, data in enumerate(
        ('{"ms": 9400}', '{"ms": "long"}', '{"ms": null}', '{"ms": true}', '{"ms": -1e300}'), 20
    ):
        happen(house, watched, child, "no-face", seq)
        house.sql("update watch_event set data = $3::text::jsonb where attempt_id = $1 and seq = $2", child, seq, data)
    answer = proctor.get(f"/watch/{child}")
    assert answer.status_code == 200
    assert answer.text.count("камера алдында ешкім жоқ, ") == answer.text.count("камера алдында ешкім жоқ, 9 с") == 1


def test_a_wall_without_children_begins_with_taking_some(house: House, watched: Scene, proctor: Visitor) -> None:
    """The first step stands before filters that filter nothing."""
    page = wall(proctor, watched)
    assert page.index("/wall/take") < page.index('data-filter="state"')
    take(proctor, watched)
    page = wall(proctor, watched)
    assert page.index("/wall/take") > page.index('data-filter="state"')
    assert page.count("/wall/take") == 1
