"""The search over everything offers what the person may open, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene

PART = {"hx-request": "true", "hx-target": "palette-found", "accept": "text/html"}


def test_pages_are_found_by_the_beginning_of_their_words(house: House) -> None:
    """In the person's language; a page that his role does not open is not offered."""
    admin, proctor = house.worker("test-administrator"), house.worker("proctor")
    assert 'href="/persons"' in admin.get("/search?q=тізі").text
    assert 'href="/sittings/new"' in admin.get("/search?q=жаңа").text
    assert 'href="/sittings/new"' not in proctor.get("/search?q=жаңа", headers=PART).text
    assert 'href="/staff' not in proctor.get("/search?q=қызмет", headers=PART).text


def test_pupils_and_sittings_of_the_own_territory_are_found(house: House, make_sitting: Callable[..., Scene]) -> None:
    """By half a name; another region's are not there, nor are they for a role that sees no pupils."""
    scene = make_sitting()
    house.sql("insert into region values ('S0', 'Басқа', 'Другая', 'Other') on conflict do nothing")
    own = house.worker("myn-bala-coordinator", region=scene.place.region)
    other = house.worker("myn-bala-coordinator", region="S0")
    found = own.get("/search?q=айг сер", headers=PART).text
    assert f"/sittings/{scene.id}/participants/{scene.pupils[0]}" in found
    assert f"/sittings/{scene.id}/" not in other.get("/search?q=айг сер", headers=PART).text
    assert f'href="/sittings/{scene.id}"' in own.get("/search?q=сынақ", headers=PART).text
    assert f'href="/sittings/{scene.id}"' not in other.get("/search?q=сынақ", headers=PART).text
    assert "participants" not in house.worker("content-manager").get("/search?q=айг сер", headers=PART).text


def test_without_script_the_search_is_a_page(house: House) -> None:
    """With the whole frame around it; a stranger is led to the sign-in."""
    page = house.worker("proctor").get("/search?q=көмек").text
    assert "<h1>" in page
    assert 'href="/help"' in page
    assert house.visitor().get("/search?q=а").status_code == 303


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; drop table staff; --", "<script>alert(1)</script>", "а" * 4000])
def test_whatever_is_typed_is_answered(house: House, words: str) -> None:
    """As text."""
    answer = house.worker("test-administrator").get("/search", params={"q": words})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_the_look_is_remembered_by_the_browser(house: House) -> None:
    """Dark whatever the device says; an unknown one is nothing; it leads to our own pages alone."""
    visitor = house.visitor()
    assert 'data-look="auto"' in visitor.get("/sign-in").text
    assert visitor.get("/look/dark?next=/help").headers["location"] == "/help"
    assert 'data-look="dark"' in visitor.get("/help").text
    assert visitor.get("/look/pink").status_code == 404
    assert visitor.get("/look/light?next=https://evil.example").headers["location"] == "/"


@pytest.mark.parametrize("path", ["/staff", "/grants?which=all&", "/audit", "/sittings", "/persons", "/schools"])
@pytest.mark.parametrize("sign", ["%25", "_", "%5C", "%25_%25"])
def test_signs_of_patterns_are_letters(house: House, make_sitting: Callable[..., Scene], path: str, sign: str) -> None:
    """A percent sign, an underscore, a backslash: found where they are written, and no sign for «anything»."""
    scene = make_sitting()
    chief, admin = house.worker("super-admin"), house.worker("test-administrator")
    visitor = admin if path in {"/sittings", "/persons", "/schools"} else chief
    mark = {"/sittings": f'href="/sittings/{scene.id}"', "/schools": 'href="/schools/', "/persons": 'href="/persons/2'}
    answer = visitor.get(f"{path}{'' if '?' in path else '?'}q={sign}")
    assert answer.status_code == 200
    found = answer.text.partition("<main")[2].partition("<tbody")[2]
    assert mark.get(path, "Адам p") not in found
