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

    from tests.portal.conftest import House

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
