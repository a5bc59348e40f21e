"""Who of the registry a participant is, and what his page says of the camera: nobody's consent opens another child's camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.features.participants.linking import link_daily
from tests.portal.participants.test_import import HEAD, send, work

if TYPE_CHECKING:
    from tests.portal.conftest import House


def linked(house: House, sitting: int) -> dict[str, int | None]:
    """External id → person."""
    rows = house.sql("select external_id, person_id from participant where sitting_id = $1", sitting)
    return {row["external_id"]: row["person_id"] for row in rows}


def again(house: House) -> None:
    """The day's work."""
    house.loop.run(link_daily(house.front.inner.state.pool))


def consent(house: House, person: int) -> None:
    house.sql(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on)
        values ($1, 'camera', 'Анасы', 'mother', '1', 'kk', 'paper', current_date)
        """,
        person,
    )


@pytest.fixture
def add(house: House):  # noqa: ANN201 (a function whose type its use shows)
    """A person of the registry in a school."""

    def made(school: int, last: str, first: str, born: str = "2015-03-14", external: str | None = None) -> int:
        from datetime import date

        from portal.core.names import fold, search_key

        return house.sql(
            """
            insert into person (external_id, last_name, first_name, name_key, search_key, birth_date, language, region_code,
                                district_id, school_id)
            select $1, $2, $3, $4, $5, $6, 'kk', d.region_code, d.id, sc.id
            from school sc
            join district d on d.id = sc.district_id
            where sc.id = $7
            returning id
            """,
            *(
                external,
                last,
                first,
                fold(f"{last} {first}"),
                search_key(last, first, ""),
                date.fromisoformat(born),
                school,
            ),
        )[0]["id"]

    return made


def test_an_import_links_by_number_else_by_name_birth_date_and_school(house: House, make_sitting, add) -> None:  # noqa: ANN001
    scene = make_sitting(state="draft", starts_in_s=86_400)
    school, other = scene.place.schools[:2]
    mark = f"L{scene.id}"
    numbered = add(school, "Басқа", "Есім", external=f"{mark}-1")
    named = add(school, "Серикова", "Айгуль")
    add(other, "Омарова", "Сара")
    add(school, "Ахметов", "Али")
    add(school, "Ахметов", "Әли")
    add(school, "Жұмабай", "Ерлан", born="2014-01-01", external=f"{mark}-5")
    code = scene.place.codes[0]
    rows = [
        f"{code};Ким;Анна;14.03.2015;5;қаз;{mark}-1",
        f"{code};Серікова;Айгүл;14.03.2015;5;қаз;{mark}-2",
        f"{code};Омарова;Сара;14.03.2015;5;қаз;{mark}-3",
        f"{code};Ахметов;Али;14.03.2015;5;қаз;{mark}-4",
        f"{code};Жұмабай;Ерлан;14.03.2015;5;қаз;{mark}-5",
    ]
    admin = house.worker("test-administrator")
    job = send(house, admin, scene.id, HEAD + "\n".join(rows) + "\n")
    admin.post(f"/sittings/{scene.id}/import/{job}/take")
    work(house, house.sql("select id from job where kind = 'import-take' and sitting_id = $1", scene.id)[0]["id"])
    found = linked(house, scene.id)
    assert [found[f"{mark}-{n}"] for n in range(1, 6)] == [numbered, named, None, None, None]
    # The three that the scene brought had been linked to nobody; one of them is a pupil of the same name.
    assert found["x2"] is None


def test_who_comes_into_the_registry_later_is_found_by_the_day_s_work(house: House, make_sitting, add) -> None:  # noqa: ANN001
    scene = make_sitting(starts_in_s=3600)
    again(house)
    assert set(linked(house, scene.id).values()) == {None}
    person = add(scene.place.schools[1], "Бекова", "Нұргүл")
    again(house)
    assert linked(house, scene.id)["x2"] == person
    # Who is linked stays so.
    add(scene.place.schools[1], "Бекова", "Нұргүл")
    again(house)
    assert linked(house, scene.id)["x2"] == person


def test_a_pupil_s_page_says_how_his_camera_stands(house: House, make_sitting, add) -> None:  # noqa: ANN001
    scene = make_sitting(starts_in_s=3600)
    admin = house.worker("test-administrator")
    page = f"/sittings/{scene.id}/participants/{scene.pupils[2]}?lang=ru"
    house.sql("insert into sitting_watch (sitting_id) values ($1)", scene.id)
    assert "Не найден в реестре" in admin.get(page).text
    person = add(scene.place.schools[1], "Бекова", "Нұргүл")
    again(house)
    shown = admin.get(page).text
    assert "Согласия нет" in shown
    assert "Пишет без камеры" in shown
    consent(house, person)
    shown = admin.get(page).text
    assert "Согласие действует" in shown
    assert "Пишет без камеры" not in shown
    house.sql("update consent set withdrawn_at = now() where person_id = $1", person)
    assert "Согласия нет" in admin.get(page).text
