"""Who teaches sees the pupils of a sitting that are in his class or attached to him, however wide his grant (SAFETY P1, P2)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Scene, Visitor

NAMES = {"Серікова", "Әлиева", "Бекова"}
TEACHERS = {"birge-teacher": "birge-oqy", "qabilet-teacher": "qabilet", "qabilet-specialist": "qabilet"}


def of_project(house: House, scene: Scene, role: str) -> None:
    """The sitting is one of the project that the role is of."""
    house.sql("update sitting set project = $2 where id = $1", scene.id, TEACHERS[role])


@pytest.fixture
def scene(house: House, make_sitting) -> Iterator[Scene]:  # noqa: ANN001 (its use shows it)
    """Three pupils, two in the first school: one of 5А, one of 5Ә."""
    scene = make_sitting()
    for pupil, letter in zip(scene.pupils, ("а", "Ә", "А"), strict=True):
        house.sql("update participant set class_letter = $2 where id = $1", pupil, letter)
    yield scene
    house.sql("update sitting set project = default where id = $1", scene.id)


def seen(visitor: Visitor, scene: Scene) -> set[str]:
    """Names that any page over pupils shows him."""
    page = visitor.get(f"/sittings/{scene.id}/participants")
    found = {name for name in NAMES if page.status_code == 200 and name in page.text}
    for name in NAMES:
        hit = visitor.get(f"/search?q={quote(name)}").text
        assert (f"/sittings/{scene.id}/participants/" in hit) is (name in found), name
    for name, pupil in zip(("Серікова", "Әлиева", "Бекова"), scene.pupils, strict=True):
        card = visitor.get(f"/sittings/{scene.id}/participants/{pupil}")
        assert card.status_code == (200 if name in found else 404), name
    return found


@pytest.mark.parametrize("role", TEACHERS)
def test_a_grant_of_a_school_is_no_list_of_it(house: House, scene: Scene, role: str) -> None:
    """Nor one of a region or of the country; counts tell no more than the list."""
    of_project(house, scene, role)
    school = scene.place.schools[0]
    for where in ({"school": school}, {"region": scene.place.region}, {}):
        teacher = house.worker(role, **where)
        assert seen(teacher, scene) == set()
        page = teacher.get(f"/sittings/{scene.id}/participants?region={scene.place.region}&school={school}")
        assert page.status_code == 200, "the sitting itself is of his territory"
        assert not any(name in page.text for name in NAMES)


@pytest.mark.parametrize("role", TEACHERS)
def test_a_class_is_its_pupils(house: House, scene: Scene, role: str) -> None:
    """Of its school alone; whoever has it by a class reaches no other page of the sitting by it."""
    of_project(house, scene, role)
    teacher = house.worker(role, school=scene.place.schools[0], class_name="5А")
    assert seen(teacher, scene) == {"Серікова"}
    for path in ("", f"/{scene.pupils[0]}"):
        page = teacher.get(f"/sittings/{scene.id}/participants{path}").text
        assert f'href="/sittings/{scene.id}"' not in page
    assert teacher.get(f"/sittings/{scene.id}").status_code == 404


def test_own_pupils_are_those_attached(house: House, scene: Scene) -> None:
    """By their row of the registry, as long as the tie holds."""
    of_project(house, scene, "birge-teacher")
    region, school = scene.place.region, scene.place.schools[0]
    login = house.person("birge-teacher", school=school)
    rows = [
        house.sql(
            """
            insert into person (last_name, first_name, birth_date, language, region_code, school_id, name_key, search_key)
            values ($1, 'Дана', '2015-03-14', 'kk', $2, $3, '', '') returning id
            """,
            *(name, region, school),
        )[0]["id"]
        for name in ("Әлиева", "Мұғалім")
    ]
    house.sql("update staff set person_id = $2 where login = $1", login, rows[1])
    house.sql("update participant set person_id = $2 where id = $1", scene.pupils[1], rows[0])
    assert seen(house.visitor(login), scene) == set()
    tie = house.sql(
        """
        insert into person_tie (holder_id, attached_id, kind, since, made_by)
        select $1, $2, 'teacher', current_date, id from staff where login = $3 returning id
        """,
        *(rows[1], rows[0], login),
    )[0]["id"]
    assert seen(house.visitor(login), scene) == {"Әлиева"}
    house.sql("update person_tie set ended_at = now() where id = $1", tie)
    assert seen(house.visitor(login), scene) == set()


def test_who_coordinates_sees_his_territory_as_before(house: House, scene: Scene) -> None:
    """And of the neighbour's nothing."""
    first, second = scene.place.schools
    assert seen(house.worker("myn-bala-school-manager", school=first), scene) == {"Серікова", "Әлиева"}
    assert seen(house.worker("myn-bala-coordinator", school=second), scene) == {"Бекова"}
    assert seen(house.worker("myn-bala-coordinator", region=scene.place.region), scene) == NAMES


def test_a_lent_phone_tells_no_name_of_another_school(house: House, scene: Scene) -> None:
    """The card says who wrote on the same phone: within the reader's reach alone."""
    phone = uuid.uuid4()
    for pupil in (scene.pupils[0], scene.pupils[2]):
        house.sql(
            "insert into attempt (id, sitting_id, signed_in_at) values ($1, $2, now())",
            *(pupil, scene.id),
        )
        house.sql(
            """
            insert into attempt_device (attempt_id, epoch, device, phone, agent, first_seen_ms)
            values ($1, 1, gen_random_uuid(), $2, 'x', 1)
            """,
            *(pupil, phone),
        )
    card = f"/sittings/{scene.id}/participants/{scene.pupils[0]}"
    assert "Бекова" in house.worker("myn-bala-coordinator", region=scene.place.region).get(card).text
    page = house.worker("myn-bala-school-manager", school=scene.place.schools[0]).get(card)
    assert page.status_code == 200
    assert "Бекова" not in page.text
