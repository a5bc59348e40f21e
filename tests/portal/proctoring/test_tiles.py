"""The wall's own script asks for tiles: in order, with one line why, filtered, and nothing of who a child is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from portal.features.proctoring import queries
from tests.portal.proctoring.test_wall import happen, take, wall

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor


@pytest.fixture
def proctor(house: House) -> Visitor:
    return house.worker("proctor")


def told(visitor: Visitor, scene: Scene, query: str = "") -> dict[str, Any]:
    """What the script gets."""
    answer = visitor.get(f"/sittings/{scene.id}/wall/tiles{query}", headers={"accept": "application/json"})
    assert answer.status_code == 200
    return answer.json()


def test_tiles_say_why_in_one_line(watched: Scene, proctor: Visitor) -> None:
    """The riskiest first; numbers, no names, no schools."""
    take(proctor, watched)
    answer = told(proctor, watched)
    assert [one["id"] for one in answer["tiles"]] == watched.pupils
    first = answer["tiles"][0]
    assert first["why"] == "беттен шықты: 4\N{NO-BREAK SPACE}рет, 38\N{NO-BREAK SPACE}с"
    assert first["tone"] == "clay"
    assert f"/watch/{watched.pupils[0]}/pictures/1?at=" in first["picture"]
    text = str(answer)
    for word in ("Серікова", "Айгүл", *watched.place.codes):
        assert word not in text


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ([{"kind": "tab-left", "times": 1, "seconds": 0}], "беттен шықты"),
        ([{"kind": "paste", "times": 3, "seconds": 0}], "мәтін қойды: 3 рет"),
        ([{"kind": "tab-left", "times": 1, "seconds": 59}], "беттен шықты: 1 рет, 59 с"),
        (
            [
                {"kind": "camera-on", "times": 5, "seconds": 0},
                {"kind": "no-face", "times": 12, "seconds": 3600},
                {"kind": "paste", "times": 2, "seconds": 0},
            ],
            "камера алдында ешкім жоқ: 12 рет, 60 мин +1",
        ),
    ],
)
def test_a_tile_says_the_heaviest_in_few_letters(
    house: House, watched: Scene, proctor: Visitor, reasons: list[dict[str, Any]], said: str
) -> None:
    """Long stretches in minutes, and how many more kinds there are; the child's page says all."""
    house.sql("update watch_score set reasons = $2 where attempt_id = $1", watched.pupils[0], reasons)
    take(proctor, watched)
    assert told(proctor, watched)["tiles"][0]["why"].replace("\N{NO-BREAK SPACE}", " ") == said


def test_states_are_counted_and_filter(house: House, watched: Scene, proctor: Visitor) -> None:
    """Writing, silent, paused (whoever paused), handed in; what a filter leaves out is hidden, not gone."""
    take(proctor, watched)
    writes, silent, other = watched.pupils
    house.sql("update picture set taken_ms = taken_ms - 600000 where attempt_id = $1", silent)
    counts = told(proctor, watched)["counts"]
    assert (counts["writing"], counts["silent"], counts["paused"], counts["finished"]) == (2, 1, 0, 0)
    house.sql(
        "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, 'school', $2, 1, 'pause', '{}')",
        *(watched.id, str(watched.place.schools[1])),
    )
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, finished_at) values ($1, $2, now(), now())",
        *(writes, watched.id),
    )
    answer = told(proctor, watched, "?state=paused")
    assert (answer["counts"]["paused"], answer["counts"]["finished"]) == (1, 1)
    assert [one["id"] for one in answer["tiles"] if not one.get("hidden")] == [other]
    house.sql(
        "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, 'school', $2, 2, 'resume', '{}')",
        *(watched.id, str(watched.place.schools[1])),
    )
    assert told(proctor, watched)["counts"]["paused"] == 0


def test_a_filter_by_event_and_one_that_nobody_knows(watched: Scene, proctor: Visitor) -> None:
    """What is not in the list filters nothing; nobody can filter by school or name (SAFETY R4)."""
    take(proctor, watched)
    shown = {
        query: sum(not one.get("hidden") for one in told(proctor, watched, query)["tiles"])
        for query in ("?event=tab-left", "?event=paste", "?event=x", "?school=1", "?state=nowhere")
    }
    assert shown == {"?event=tab-left": 3, "?event=paste": 0, "?event=x": 3, "?school=1": 3, "?state=nowhere": 3}


def test_quiet_ones_hide_and_surface_with_an_incident(house: House, watched: Scene, proctor: Visitor) -> None:
    """The third has a score of 10; a lost line does not bring it back, a paste does."""
    take(proctor, watched)
    quiet = watched.pupils[2]

    def hidden() -> list[int]:
        return [one["id"] for one in told(proctor, watched, "?quiet=hide")["tiles"] if one.get("hidden")]

    assert hidden() == [quiet]
    happen(house, watched, quiet, "line-lost", 2, 0)
    assert hidden() == [quiet]
    happen(house, watched, quiet, "paste", 3, 0)
    assert hidden() == []


def test_without_script_the_page_is_the_same(watched: Scene, proctor: Visitor) -> None:
    """It loads itself again; filters are links."""
    take(proctor, watched)
    text = wall(proctor, watched)
    assert '<noscript><meta http-equiv="refresh"' in text
    assert f'href="/sittings/{watched.id}/wall?state=silent"' in text
    page = proctor.get(f"/sittings/{watched.id}/wall?quiet=hide").text
    assert page.count('class="tile') - page.count("hidden><a") >= 2


def test_hands_have_a_limit(house: House, watched: Scene, proctor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often he takes."""
    monkeypatch.setattr(queries, "MOST_HANDS", 2)
    for _ in range(3):
        take(proctor, watched, 1)
    held = house.sql("select count(*) from watch_hand where sitting_id = $1", watched.id)[0][0]
    assert held == 2


def hand(house: House, visitor: Visitor, scene: Scene, login: str) -> int:
    """Hand all over; the status."""
    to = house.sql("select id from staff where login = $1", login)[0]["id"]
    return visitor.post(f"/sittings/{scene.id}/wall/over", {"to": str(to)}).status_code


def holders(house: House, scene: Scene) -> dict[int, str]:
    """Child → who holds it."""
    rows = house.sql(
        "select h.attempt_id, s.login from watch_hand h join staff s on s.id = h.staff_id where h.sitting_id = $1",
        scene.id,
    )
    return {row["attempt_id"]: row["login"] for row in rows}


def test_children_are_handed_to_a_colleague_on_shift(house: House, watched: Scene, proctor: Visitor) -> None:
    """On record, and the colleague is told."""
    take(proctor, watched)
    login = house.person("proctor")
    assert hand(house, proctor, watched, login) == 409, "nobody has seen this colleague today"
    colleague = house.visitor(login)
    assert hand(house, proctor, watched, login) == 303
    assert set(holders(house, watched).values()) == {login}
    assert proctor.get(f"/watch/{watched.pupils[0]}").status_code == 404
    assert colleague.get(f"/watch/{watched.pupils[0]}").status_code == 200
    told_of = house.sql(
        "select filled from notice n join staff s on s.id = n.staff_id where s.login = $1 and n.kind = 'watch.handed-over'",
        login,
    )
    assert [row["filled"]["count"] for row in told_of] == ["3"]
    unread = (
        "select count(*) from notice n join staff s on s.id = n.staff_id where s.login = $1 and read_at is null "
        "and n.kind = 'watch.handed-over'"
    )
    assert house.sql(unread, login)[0]["count"] == 1
    assert colleague.get(f"/sittings/{watched.id}/wall").status_code == 200
    assert house.sql(unread, login)[0]["count"] == 0, "he is at the wall that he was called to"
    acts = house.sql(
        "select after from audit where act = 'watch.children.handed-over' and object_id = $1", str(watched.id)
    )
    assert [row["after"]["children"] for row in acts] == [3]
    house.sql(
        "update staff_session set seen_at = now() - interval '11 minutes' where staff_id = (select id from staff where login = $1)",
        login,
    )
    assert hand(house, proctor, watched, login) == 409


def test_a_long_list_of_colleagues_shuts_nobody_out(
    house: House, watched: Scene, proctor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the nation's day more are on shift than a list shows; whoever asks for the last of them gets him."""
    monkeypatch.setattr(queries, "MOST_LISTED", 1)
    take(proctor, watched)
    first, last = house.person("proctor"), house.person("proctor")
    house.visitor(first)
    at_last = house.visitor(last)
    assert hand(house, proctor, watched, last) == 303
    assert hand(house, at_last, watched, first) == 303


def test_a_colleagues_own_district_and_own_verdicts_stay_behind(house: House, watched: Scene, proctor: Visitor) -> None:
    """SAFETY R4: nobody watches his own district, whoever hands the children over."""
    take(proctor, watched)
    neighbour = house.person("proctor", own=watched.place.schools[1])
    house.visitor(neighbour)
    assert hand(house, proctor, watched, neighbour) == 303
    assert neighbour not in holders(house, watched).values()
    judged = house.person("proctor")
    house.visitor(judged)
    house.sql(
        """
        insert into watch_verdict (attempt_id, sitting_id, kind, reason, made_by)
        select $1, $2, 'fine', 'seen', id from staff where login = $3
        """,
        *(watched.pupils[1], watched.id, judged),
    )
    assert hand(house, proctor, watched, judged) == 303
    assert [child for child, login in holders(house, watched).items() if login != judged] == [watched.pupils[1]]


def test_nobody_without_the_right_gets_children(house: House, watched: Scene, proctor: Visitor) -> None:
    """An analyst, a proctor of another region, nobody at all."""
    take(proctor, watched)
    house.sql("insert into region values ($1, 'Басқа', 'Другая', 'Other')", f"Y{watched.id}")
    # Who looks but may not act would stand before them with empty hands.
    for role, where in (("analyst", {}), ("quality-manager", {}), ("proctor", {"region": f"Y{watched.id}"})):
        login = house.person(role, **where)  # type: ignore[arg-type]
        house.visitor(login)
        assert hand(house, proctor, watched, login) == 409
    for to in ("", "x", "999999999"):
        assert proctor.post(f"/sittings/{watched.id}/wall/over", {"to": to}).status_code == 409
    assert len(set(holders(house, watched).values())) == 1
    assert house.worker("analyst").get(f"/sittings/{watched.id}/wall/tiles").status_code == 403


def test_two_hundred_tiles_are_quickly_told(house: House, watched: Scene, proctor: Visitor) -> None:
    """A generous bound, for a busy machine: the statement must not fall into a scan a child."""
    take(proctor, watched)
    told(proctor, watched)
    began = time.monotonic()
    told(proctor, watched)
    assert time.monotonic() - began < 2


def test_taking_and_handing_over_say_what_came_of_them(house: House, watched: Scene, proctor: Visitor) -> None:
    """Nobody looks at an unchanged wall and wonders: nothing to take, nobody could be handed over, some stay behind."""
    take(proctor, watched)
    base = f"/sittings/{watched.id}/wall"
    for wrong in ("-5", "0", "51", "abc"):
        answer = proctor.post(f"{base}/take", {"how_many": wrong})
        assert (
            "1-ден 50-ге дейінгі сан" in proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
        )
    answer = proctor.post(f"{base}/take", {"how_many": "5"})
    assert "Алатын бала қалмады" in proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
    login = house.person("proctor")
    house.visitor(login)
    for child in watched.pupils:
        house.sql(
            """
            insert into watch_verdict (sitting_id, attempt_id, made_by, kind, reason)
            select $1, $2, id, 'fine', 'seen' from staff where login = $3
            """,
            *(watched.id, child, login),
        )
    to = house.sql("select id from staff where login = $1", login)[0]["id"]
    answer = proctor.post(f"{base}/over", {"to": str(to)})
    assert (
        "Ешбір баланы беру мүмкін болмады"
        in proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
    )
    house.sql("delete from watch_verdict where attempt_id = $1", watched.pupils[0])
    answer = proctor.post(f"{base}/over", {"to": str(to)})
    text = proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
    assert "Балалар әріптесіңізге өтті" in text
    assert "Осында қалғандары Сізде қалады" in text
    house.sql("delete from watch_verdict where sitting_id = $1", watched.id)
    answer = proctor.post(f"{base}/over", {"to": str(to)})
    text = proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
    assert "Бәрі берілді." in text
    assert "Осында қалғандары Сізде қалады" not in text
    answer = proctor.post(f"{base}/back")
    text = proctor.get(answer.headers["location"].removeprefix("http://portal.test")).text
    assert "Кезекшілігіңіз аяқталды" in text
    assert "notice sky" not in proctor.get(f"{base}?told=<b>").text
