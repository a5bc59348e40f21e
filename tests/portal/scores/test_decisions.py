"""What two persons decide after a sitting, and what the next run makes of it (SAFETY D2, J5)."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House
    from tests.portal.scores.conftest import Sat

SCORES = "?lang=en"


def test_a_quota_list_from_a_hall_is_made_when_two_agreed(house: House, make_sat: Callable[..., Sat]) -> None:
    """One place, two equals: with the rule «all», both stand on the list, marked as sharing the line."""
    sat = make_sat()
    first, second = house.worker("analyst"), house.worker("analyst")
    assert (
        first.post(f"{sat.base}/quota", {"places_KZ-10": "1", "tie_at_line": "all", "reason": "№ 5"}).status_code == 303
    )
    assert sat.score(first) == 1
    assert first.get(f"{sat.base}/1/quota").status_code == 404, "one person sets no quota"
    sat.agree(second)
    assert sat.score(first) == 2
    page = first.get(f"{sat.base}/2/quota{SCORES}").text
    assert all(f"№ {attempt}" in page for attempt in sat.attempts[:2])
    assert page.count("shares the place at the line") == 2
    assert "All who share the place at the quota line are listed" in page
    assert 'data-name="New">1<' in first.get(f"{sat.base}/2/differences/1{SCORES}").text
    assert "From home" not in page
    assert "From home" not in first.get(f"{sat.base}/2{SCORES}").text


def test_a_list_from_home_names_both_who_agreed(house: House, make_sat: Callable[..., Sat]) -> None:
    """The tick is needed; then the page and the download say that it is from home and who agreed."""
    sat = make_sat("home")
    logins = [house.person("analyst") for _ in range(2)]
    first, second = map(house.visitor, logins)
    wish: dict[str, object] = {"places_KZ-10": "2", "tie_at_line": "none", "reason": "№ 6"}
    assert (
        "Confirm that the list would come from a sitting at home" in first.post(f"{sat.base}/quota{SCORES}", wish).text
    )
    assert first.post(f"{sat.base}/quota", {**wish, "from_home": "1"}).status_code == 303
    assert "nobody can prove who thought" in second.get("/acts?lang=en").text
    sat.agree(second)
    sat.score(first)
    names = [f"Адам {login}" for login in logins]
    for page in (first.get(f"{sat.base}{SCORES}").text, first.get(f"{sat.base}/1/quota{SCORES}").text):
        assert "comes from a sitting held at home" in page
        assert all(name in page for name in names)
    file = first.post(f"{sat.base}/1/download?lang=en", {"kind": "xlsx"}).content
    book = openpyxl.load_workbook(io.BytesIO(file))
    said = " ".join(str(row[0].value) for row in book.worksheets[0].iter_rows())
    assert all(name in said for name in names)
    assert "quota" in book.sheetnames
    archive = zipfile.ZipFile(io.BytesIO(first.post(f"{sat.base}/1/download?lang=en", {"kind": "csv"}).content))
    assert "quota.csv" in archive.namelist()
    assert all(name in archive.read("about.txt").decode("utf-8-sig") for name in names)


def test_answers_after_a_silence_count_when_two_decided(house: House, make_sat: Callable[..., Sat]) -> None:
    """The list shows the silence and what would change; the decision is in the next run; the old run stays."""
    sat = make_sat()
    first, second = house.worker("analyst"), house.worker("analyst")
    sat.score(first)
    pupil = sat.attempts[2]
    raw = f"{sat.base}/{{}}/pupils/{pupil}{SCORES}"
    assert "<b>1</b><span>of 4 points" in first.get(raw.format(1)).text.replace("1.0", "1")
    shown = first.get(f"{sat.base}/waiting{SCORES}").text
    assert f"№ {pupil}" in shown
    assert "90 min" in shown, "the silence"
    assert "Tick at least one pupil" in first.post(f"{sat.base}/waiting{SCORES}", {"do": "count", "reason": "№ 7"}).text
    wish = {"attempt": str(pupil), "do": "count", "reason": "Желі болмады, № 7 акт"}
    assert first.post(f"{sat.base}/waiting", wish).status_code == 303
    sat.agree(second)
    assert "Score again" in first.get(f"{sat.base}{SCORES}").text
    assert sat.score(first) == 2
    assert "<b>2</b><span>of 4 points" in first.get(raw.format(2)).text.replace("2.0", "2")
    told = house.sql(
        "select after, reason from audit where act = 'score.waiting.decided' and object_id = $1", str(pupil)
    )
    assert (told[0]["after"]["counts"], told[0]["reason"]) == (True, wish["reason"])


def test_an_excluded_pupil_is_counted_with_the_reason_and_comes_back_by_two(
    house: House, make_sat: Callable[..., Sat]
) -> None:
    """Out of the ranking, on the page with a count; undone in the same way; nobody touches his own school."""
    sat = make_sat()
    first, second = house.worker("analyst"), house.worker("analyst")
    sat.score(first)
    pupil = sat.attempts[0]
    wish = {"attempt": str(pupil), "why": "other-person", "reason": "№ 8 хаттама", "do": "exclude"}
    school = house.sql("select school_id from participant where id = $1", pupil)[0]["school_id"]
    assert house.worker("analyst", own=school).post(f"{sat.base}/excluded", wish).status_code == 403
    assert first.post(f"{sat.base}/excluded", wish).status_code == 303
    sat.agree(second)
    assert sat.score(first) == 2
    page = first.get(f"{sat.base}/2{SCORES}").text
    assert "<dt>Somebody else sat for the pupil</dt><dd>1</dd>" in page
    assert f"№ {pupil}" not in first.get(f"{sat.base}/2/ranking").text
    assert first.post(f"{sat.base}/excluded", {**wish, "do": "readmit"}).status_code == 303
    sat.agree(second)
    assert sat.score(first) == 3
    assert f"№ {pupil}" in first.get(f"{sat.base}/3/ranking").text
    assert "in the ranking again" in first.get(f"{sat.base}/decisions{SCORES}").text


def test_a_voided_question_and_another_key_move_the_next_run(house: House, make_sat: Callable[..., Sat]) -> None:
    """The page of differences shows whose points moved; the packed key is as it was."""
    sat = make_sat()
    first, second = house.worker("analyst"), house.worker("analyst")
    assert (
        first.post(f"{sat.base}/questions/{sat.scene.form}/M04", {"ruling": "void", "reason": "x"}).status_code == 409
    )
    sat.score(first)
    for code, wish in (("M04", {"ruling": "key", "right": "B"}), ("M01", {"ruling": "void"})):
        where = f"{sat.base}/questions/{sat.scene.form}/{code}"
        assert first.post(where, {**wish, "reason": "№ 9"}).status_code == 303
        sat.agree(second)
    assert sat.score(first) == 2
    sheet = first.get(f"{sat.base}/2/pupils/{sat.attempts[0]}{SCORES}").text
    assert "of 3 points" in sheet, "one question is voided"
    moved = first.get(f"{sat.base}/2/differences/1{SCORES}").text
    assert "Voided questions and corrected keys" in moved
    assert f"№ {sat.attempts[2]}" in moved
    keys = house.sql("select rule, voided from keys.item_key where form_id = $1 and code = 'M04'", sat.scene.form)
    assert (keys[0]["rule"]["right"], keys[0]["voided"]) == (["A"], False)


def test_who_may_not_decide_for_the_whole_sitting_does_not(house: House, make_sat: Callable[..., Sat]) -> None:
    """A proctor: 403; an analyst of another region: the sitting is absent."""
    sat = make_sat()
    house.sql("insert into region values ('KZ-Q', 'Б', 'Б', 'B') on conflict do nothing")
    assert house.worker("proctor").get(f"{sat.base}/quota").status_code == 403
    assert house.worker("analyst", region="KZ-Q").get(f"{sat.base}/quota").status_code == 404
