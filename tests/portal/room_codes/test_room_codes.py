"""The page of room codes: nothing before T0, each look on record, a school's coordinator sees his own school's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.rooms.blob import draw_room_code
from tests.portal.participants.test_import import count, send, work

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene

HEAD = "Мектеп коды;Тегі;Аты;Туған күні;Сынып;Кабинет;Тест тілі;Сыртқы нөмір\n"


@pytest.fixture
def with_rooms(house: House, make_sitting):  # noqa: ANN001, ANN201 (a function whose type its use shows)
    """A sitting whose two schools have a room each, with sealed codes and one spare; a pupil in each room."""

    def make(starts_in_s: int, spare: int = 1) -> tuple[Scene, list[int]]:
        scene = make_sitting(starts_in_s=starts_in_s)
        for number in range(1, 3 + spare):
            house.sql(
                "insert into room_code (form_id, number, sealed, blob) values ($1, $2, 'sealed', $3)",
                *(scene.form, number, f"{number:064}"),
            )
        rooms = [
            house.sql(
                "insert into room (sitting_id, school_id, name) values ($1, $2, $3) returning id",
                *(scene.id, school, name),
            )[0]["id"]
            for school, name in zip(scene.place.schools, ("3-кабинет", "Спортзал"), strict=True)
        ]
        house.sql("update participant set room_id = $2 where id = $1", scene.pupils[0], rooms[0])
        house.sql("update participant set room_id = $2 where id = $1", scene.pupils[2], rooms[1])
        return scene, rooms

    return make


def open_codes(house: House, scene: Scene) -> dict[int, str]:
    """What the release process wrote: room → code, in groups as it is shown."""
    codes = {}
    for row in house.sql("select number, room_id from room_code where form_id = $1 and closed_at is null", scene.form):
        if row["room_id"] is not None:
            code = draw_room_code()
            house.sql(
                "insert into room_code_open (form_id, number, code) values ($1, $2, $3) on conflict do nothing",
                *(scene.form, row["number"], code),
            )
            codes[row["room_id"]] = code
    return codes


def groups(code: str) -> str:
    return "".join(f"<span>{code[start : start + 4]}</span>" for start in range(0, len(code), 4))


def acts(house: House, scene: Scene) -> list[str]:
    rows = house.sql(
        "select act from audit where object_kind = 'sitting' and object_id = $1 and act like 'room.%' order by id",
        str(scene.id),
    )
    return [row["act"] for row in rows]


def test_before_the_start_the_page_says_when_and_has_no_code(house: House, with_rooms) -> None:  # noqa: ANN001
    scene, _ = with_rooms(3600)
    admin = house.worker("test-administrator", region=scene.place.region)
    page = admin.get(f"/sittings/{scene.id}/room-codes").text
    assert "Кодтар осы жерде" in page
    assert "3-кабинет" in page
    assert 'room-code"' not in page
    assert admin.get(f"/sittings/{scene.id}/room-codes/export/csv").status_code == 404
    assert acts(house, scene) == [], "nothing was shown"


def test_from_the_start_on_codes_are_shown_read_out_and_on_record(house: House, with_rooms) -> None:  # noqa: ANN001
    scene, rooms = with_rooms(-60)
    codes = open_codes(house, scene)
    admin = house.worker("test-administrator", region=scene.place.region)
    answer = admin.get(f"/sittings/{scene.id}/room-codes")
    assert answer.headers["cache-control"] == "no-store"
    for room in rooms:
        assert groups(codes[room]) in answer.text
    found = admin.get(f"/sittings/{scene.id}/room-codes?q=спорт").text
    assert groups(codes[rooms[1]]) in found
    assert groups(codes[rooms[0]]) not in found
    table = admin.get(f"/sittings/{scene.id}/room-codes/export/csv").content.decode("utf-8-sig")
    assert len(table.splitlines()) == 3
    assert acts(house, scene) == ["room.codes.shown", "room.codes.shown", "room.codes.exported"]
    fact = house.sql(
        "select after from audit where object_id = $1 and act = 'room.codes.shown' order by id", str(scene.id)
    )
    assert [sorted(row["after"]["rooms"]) for row in fact] == [sorted(rooms), [rooms[1]]]


def test_a_coordinator_sees_his_own_school_s_rooms_alone(house: House, with_rooms) -> None:  # noqa: ANN001
    scene, rooms = with_rooms(-60)
    codes = open_codes(house, scene)
    own = house.worker("room-supervisor", school=scene.place.schools[0])
    page = own.get(f"/sittings/{scene.id}/room-codes").text
    assert groups(codes[rooms[0]]) in page
    assert groups(codes[rooms[1]]) not in page
    assert "Спортзал" not in page
    assert "Спортзал" not in own.get(f"/sittings/{scene.id}/room-codes?q=спорт&state=open").text.split("<table")[-1]
    assert len(own.get(f"/sittings/{scene.id}/room-codes/export/csv").text.splitlines()) == 2
    assert house.worker("analyst").get(f"/sittings/{scene.id}/room-codes").status_code == 403


def test_an_early_opening_is_an_alarm_and_its_code_is_marked(house: House, with_rooms) -> None:  # noqa: ANN001
    """What the flusher wrote of it stands on the live page and beside the room, with the pupil's name."""
    scene, rooms = with_rooms(-60)
    old = open_codes(house, scene)[rooms[0]]
    house.sql(
        """
        insert into room_opening (attempt_id, device, seq, sitting_id, leg, number, room_id, at_ms, jump_ms, since_ms,
                                  received_ms, early)
        values ($1, gen_random_uuid(), 1, $2, 0, 1, $3, 1, 0, 0, 1, 'received')
        """,
        *(scene.pupils[0], scene.id, rooms[0]),
    )
    house.sql(
        "update room_code set closed_at = now(), closed_reason = 'opened-early' where form_id = $1 and room_id = $2",
        *(scene.form, rooms[0]),
    )
    house.sql("select give_room_codes($1)", scene.form)
    new = open_codes(house, scene)[rooms[0]]
    admin = house.worker("test-administrator", region=scene.place.region)
    page = admin.get(f"/sittings/{scene.id}/room-codes").text
    assert groups(old) not in page
    assert groups(new) in page
    assert "басталмай тұрып ашылған" in page
    assert "Серікова Айгүл" in page
    assert "Кабинет кодымен тест басталмай тұрып ашылған: 1 құрылғы." in admin.get(f"/sittings/{scene.id}/live").text
    neighbour = house.worker("test-administrator", school=scene.place.schools[1])
    assert "Кабинет кодымен" not in neighbour.get(f"/sittings/{scene.id}/live").text


def test_rooms_without_a_code_are_told(house: House, with_rooms) -> None:  # noqa: ANN001
    scene, _ = with_rooms(3600, spare=-1)
    admin = house.worker("test-administrator", region=scene.place.region)
    assert "Коды жоқ кабинеттер: 1" in admin.get(f"/sittings/{scene.id}/room-codes").text


def test_rooms_come_with_the_list_of_pupils(house: House, make_sitting) -> None:  # noqa: ANN001
    """The column may be left out or empty; a name too long is told with its row; undone, the room is gone too."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    house.sql("insert into room_code (form_id, number, sealed, blob) values ($1, 1, 'sealed', 'a')", scene.form)
    admin = house.worker("test-administrator")
    code = scene.place.codes[0]
    good = f"{code};Серікова;Айгүл;14.03.2015;5;3-кабинет;қаз;N1\n{code};Әлиева;Дана;14.03.2015;5;;қаз;N2\n"
    job = send(house, admin, scene.id, HEAD + good + f"{code};Бекова;Айнұр;14.03.2015;5;{'К' * 61};қаз;N3\n")
    page = admin.get(f"/sittings/{scene.id}/import/{job}?lang=kk").text
    assert "Кабинет" in page
    assert "К" * 61 in page
    assert house.sql("select result from job where id = $1", job)[0]["result"]["errors"][0]["column"] == "room"
    job = send(house, admin, scene.id, HEAD + good)
    assert "3-кабинет" in admin.get(f"/sittings/{scene.id}/import/{job}").text
    assert admin.post(f"/sittings/{scene.id}/import/{job}/take").status_code == 303
    work(house, house.sql("select id from job where kind = 'import-take' and sitting_id = $1", scene.id)[0]["id"])
    rows = house.sql(
        """
        select p.external_id, r.name, c.number
        from participant p left join room r on r.id = p.room_id left join room_code c on c.room_id = r.id
        where p.sitting_id = $1 and p.external_id like 'N%' order by 1
        """,
        scene.id,
    )
    assert [tuple(row) for row in rows] == [("N1", "3-кабинет", 1), ("N2", None, None)]
    assert "3-кабинет" in admin.get(f"/sittings/{scene.id}/participants?q=айг+сер").text
    assert "3-кабинет" in admin.get(f"/sittings/{scene.id}/participants/export/csv").content.decode("utf-8-sig")
    assert admin.post(f"/sittings/{scene.id}/import/{job}/undo").status_code == 303
    assert count(house, scene.id) == 3
    assert house.sql("select count(*) from room where sitting_id = $1", scene.id)[0]["count"] == 0
    assert house.sql("select room_id from room_code where form_id = $1", scene.form)[0]["room_id"] is None
