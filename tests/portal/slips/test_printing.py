"""Slips: what is on paper, what is kept, what dies."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pypdf

from engine.codes import hash_code, normalise_code
from infra.local import decode_key

if TYPE_CHECKING:
    import httpx

    from tests.portal.conftest import House, Scene

CODE = re.compile(r"[0-9A-Z]{4} [0-9A-Z]{4} [0-9A-Z]{4}")


def read(answer: httpx.Response) -> str:
    """The words of the PDF."""
    assert answer.headers["content-type"] == "application/pdf", answer.text[-1500:]
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)


def test_a_schools_slips(house: House, make_sitting) -> None:  # noqa: ANN001
    """In class order, all Kazakh letters, the printer in the footer; no birth date, no whole last name, on record."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    text = read(admin.post(f"/sittings/{scene.id}/slips", {"school": scene.place.schools[0]}))
    assert text.index("Дана Ә.") < text.index("Айгүл С.")
    assert "Нұргүл" not in text
    assert "Сынақ" in text
    assert "Адам p" in text
    for secret in ("2015", "14.03", "Серікова", "Әлиева"):
        assert secret not in text
    codes = [normalise_code(code) for code in CODE.findall(text)]
    pepper = decode_key(house.settings.code_pepper)
    kept = {
        bytes(row["code_hash"])
        for row in house.sql(
            "select code_hash from participant where sitting_id = $1 and code_hash is not null", scene.id
        )
    }
    assert kept == {hash_code(code, pepper) for code in codes if code}
    assert len(kept) == 2
    record = house.sql("select after from audit where act = 'slip.file.printed' and object_id = $1", str(scene.id))[0][
        "after"
    ]
    assert record["count"] == 2
    assert not any(code in str(record) for code in CODE.findall(text))


def test_a_new_slip_kills_the_old_one(house: House, make_sitting) -> None:  # noqa: ANN001
    """Its keyed hash is replaced; without «anew» nobody is printed twice."""
    scene = make_sitting()
    admin = house.worker("test-administrator")
    one = {"participant": scene.pupils[0], "again": "1"}
    first, second = (CODE.findall(read(admin.post(f"/sittings/{scene.id}/slips", one)))[0] for _ in range(2))
    assert first != second
    row = house.sql("select code_hash, code_version from participant where id = $1", scene.pupils[0])[0]
    assert bytes(row["code_hash"]) == hash_code(normalise_code(second) or "", decode_key(house.settings.code_pepper))
    assert row["code_version"] == 2
    assert admin.post(f"/sittings/{scene.id}/slips", {"participant": scene.pupils[0]}).status_code == 409


def test_nobody_prints_for_his_own_school(house: House, make_sitting) -> None:  # noqa: ANN001
    """SAFETY J5; and not for a school of another territory."""
    scene = make_sitting()
    own = house.worker("test-administrator", own=scene.place.schools[0])
    assert own.post(f"/sittings/{scene.id}/slips", {"school": scene.place.schools[0]}).status_code == 403
    coordinator = house.worker("test-administrator", school=scene.place.schools[1])
    assert coordinator.post(f"/sittings/{scene.id}/slips", {"school": scene.place.schools[0]}).status_code == 409
    assert house.sql("select 1 from participant where sitting_id = $1 and code_hash is not null", scene.id) == []


def codes(house: House, scene: Scene) -> list[int]:
    """How often each pupil's code was made."""
    rows = house.sql("select code_version from participant where sitting_id = $1 order by id", scene.id)
    return [row["code_version"] for row in rows]


def test_new_slips_are_for_a_school_or_a_pupil(house: House, make_sitting) -> None:  # noqa: ANN001
    """Nobody kills the codes of a whole sitting; and once pupils come in, only one at a time."""
    scene, later = make_sitting(), make_sitting(starts_in_s=7200)
    admin = house.worker("test-administrator")
    for one in (scene, later):
        read(admin.post(f"/sittings/{one.id}/slips", {}))
    for nobody in ({}, {"school": "x"}, {"participant": "99999999999"}):
        answer = admin.post(f"/sittings/{later.id}/slips?lang=en", {"again": "on", **nobody})
        assert (answer.status_code, "one school or one pupil" in answer.text) == (422, True)
    school = {"again": "on", "school": scene.place.schools[0]}
    answer = admin.post(f"/sittings/{scene.id}/slips?lang=en", school)
    assert (answer.status_code, "The waiting room is open" in answer.text) == (422, True)
    assert "All anew" not in admin.get(f"/sittings/{scene.id}/slips?lang=en").text
    assert codes(house, scene) == codes(house, later) == [1, 1, 1]
    assert "All anew" in admin.get(f"/sittings/{later.id}/slips?lang=en").text
    read(admin.post(f"/sittings/{later.id}/slips", school))
    read(admin.post(f"/sittings/{scene.id}/slips", {"again": "on", "participant": scene.pupils[0]}))
    assert (codes(house, scene), codes(house, later)) == ([2, 1, 1], [2, 2, 1])


def test_his_own_school_is_seen_in_every_choice(house: House, make_sitting) -> None:  # noqa: ANN001
    """Named as a school, as one of its pupils, or among all who have no slip."""
    scene = make_sitting()
    own = house.worker("test-administrator", own=scene.place.schools[0])
    for choice in ({}, {"participant": scene.pupils[0], "again": "1"}, {"school": scene.place.schools[0]}):
        assert own.post(f"/sittings/{scene.id}/slips", choice).status_code == 403
    assert codes(house, scene) == [0, 0, 0]
    read(own.post(f"/sittings/{scene.id}/slips", {"school": scene.place.schools[1]}))


def test_date_and_time_on_a_slip_are_in_its_pupils_language(house: House, make_sitting) -> None:  # noqa: ANN001
    """Whatever the printer's own: the head and foot of the sheet are his."""
    scene = make_sitting()
    first, second = scene.pupils[:2]
    for language, pupil in (("kk", first), ("ru", second)):
        house.sql("update participant set language = $2 where id = $1", pupil, language)
    admin = house.worker("test-administrator")
    for pupil, own, foreign in ((first, "(Астана уақыты)", "(время Астаны)"), (second, "(время Астаны)", "уақыты")):
        text = read(admin.post(f"/sittings/{scene.id}/slips?lang=ru", {"participant": pupil, "again": "1"}))
        # The foot tells its printer, in his language, when it was printed.
        foot = next(line for line in text.splitlines() if "Напечатал" in line)
        slip = text.replace(foot, "")
        assert own in slip
        assert foreign not in slip
        assert "(время Астаны)" in foot
