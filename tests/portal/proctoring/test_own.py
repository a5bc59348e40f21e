"""What a child reads of its own watched sittings, and of nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.proctoring.test_cases import appeal
from tests.portal.proctoring.test_review import BREACH, FINE, reviewer, say_on_the_wall

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor

BIRGE = "birge-oqy"


@pytest.fixture
def logins(house: House, watched: Scene) -> list[Visitor]:
    """The three children, each with a login and a row of the registry; a fourth visitor who was not watched."""
    made: list[Visitor] = []
    for child in [*watched.pupils, None]:
        person = house.sql(
            """
            insert into person (last_name, first_name, name_key, search_key, birth_date, sex, language, school_id, projects)
            values ('Серікова', 'Айгүл', 'serikova aigul', ' serikova aigul ', '2015-03-14', 'f', 'kk', $1, '{birge-oqy}')
            returning id
            """,
            watched.place.schools[0],
        )[0]["id"]
        if child:
            house.sql("update participant set person_id = $2 where id = $1", child, person)
        login = house.person("birge-pupil", project=BIRGE)
        house.sql("update staff set person_id = $2, registered_at = now() where login = $1", login, person)
        made.append(house.visitor(login))
    return made


def own(visitor: Visitor) -> str:
    answer = visitor.get("/me/watched")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_child_reads_what_was_decided_and_how_to_appeal(house: House, watched: Scene, logins: list[Visitor]) -> None:
    """Undecided tells no opinion; decided says what and by when to appeal; then how the appeal stands and ended."""
    child = watched.pupils[0]
    assert "Ережеге қайшы ештеңе жоқ" in own(logins[0])
    say_on_the_wall(house, watched, BREACH, child)
    text = own(logins[0])
    assert "Біреу көмектесіп" not in text, "one opinion decides nothing, so it is not told"
    assert "ересек адам" not in text
    say_on_the_wall(house, watched, BREACH, child)
    text = own(logins[0])
    assert "Кемінде екеуі ереже бұзылды дейді" in text
    assert "Ата-анаңа айт" in text
    assert "+7 700" in text
    assert "ересек адам" not in text, "words among staff are not for the child"
    number = appeal(reviewer(house), watched, child)
    assert "Ата-анаңа айт" not in own(logins[0])
    said = {"state": "upheld", "reason": "Әжесі шай әкелген", "looked": "yes"}
    assert house.worker("quality-manager").post(f"/appeals/{number}/decide", said).status_code == 303
    assert "Әжесі шай әкелген" in own(logins[0])


def test_after_the_term_the_way_to_appeal_is_not_offered(house: House, watched: Scene, logins: list[Visitor]) -> None:
    """Nobody is sent to ask for what is refused."""
    for _ in range(2):
        say_on_the_wall(house, watched, BREACH, watched.pupils[0])
    house.sql("update watch_ruling set made_at = now() - interval '11 days' where sitting_id = $1", watched.id)
    text = own(logins[0])
    assert "Ата-анаңа айт" not in text
    assert "Кемінде екеуі ереже бұзылды дейді" in text


def test_another_childs_case_is_not_there(house: House, watched: Scene, logins: list[Visitor]) -> None:
    """Neither on the own page nor by any address of the rooms."""
    first, second = watched.pupils[:2]
    for _ in range(2):
        say_on_the_wall(house, watched, BREACH, first)
    say_on_the_wall(house, watched, FINE, second)
    number = appeal(reviewer(house), watched, first)
    text = own(logins[1])
    assert f"№ {first % 100_000}" not in text
    assert "Ата-анаңа айт" not in text
    assert "Сен камерамен бақыланбағансың" in own(logins[3])
    person = house.sql("select person_id from participant where id = $1", first)[0]["person_id"]
    for path in (
        f"/persons/{person}/watched",
        f"/cases/{first}",
        f"/review/{first}",
        f"/watch/{first}",
        f"/watch/{first}/pictures/1?at=1",
        f"/review/{first}/pictures/1?at=1",
        f"/appeals/{number}",
        f"/appeals/{number}/answer",
    ):
        for visitor in logins:
            assert visitor.get(path).status_code in {403, 404}, path
