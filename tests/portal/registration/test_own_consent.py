"""Who agrees for himself signs with his own number; the page rings no strangers and tells nobody who is known (SAFETY P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.portal.registration.conftest import CHILD, GROWN

if TYPE_CHECKING:
    from tests.portal.conftest import Visitor
    from tests.portal.registration.conftest import Desk

NAMED = {"given_by": "Оспанова Сәуле", "relation": "mother", "agreed": "1"}


def link(visitor: Visitor, phone: str) -> str:
    """The token by which he reads and decides."""
    answer = visitor.post("/own/agree", {"phone": phone})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("token=")[2]


def test_a_proven_number_is_the_one_that_signs(desk: Desk) -> None:
    """Not another's: neither a stranger's nor one that has an account."""
    phone = desk.phone()
    grown, typed = desk.by_phone(phone, birth_date=GROWN)
    known = desk.phone()
    desk.by_phone(known, birth_date=GROWN)
    before = len(desk.sms.of(known))
    said = [grown.post("/own/agree", {"phone": other}) for other in (known, desk.phone())]
    assert [answer.status_code for answer in said] == [422, 422]
    token = link(grown, phone)
    grown.post("/consent", {"token": token, "purposes": ["registry"]})
    assert grown.post("/consent/sign", {"token": token, "code": desk.code_to(phone)}).status_code == 303
    assert desk.person(typed)
    assert len(desk.sms.of(known)) == before


def test_without_one_he_names_two_a_day(desk: Desk) -> None:
    """A slip of the hand and the right one; then no third, known or not, with the same words; no other country's."""
    known = desk.phone()
    desk.by_phone(known, birth_date=GROWN)
    answers = []
    for third in (known, desk.phone()):
        grown, _ = desk.by_email(f"grown.{third[-4:]}@mail.test", birth_date=GROWN)
        assert grown.post("/own/agree", {"phone": "+8816123456789"}).status_code == 422
        for _ in range(2):
            link(grown, desk.phone())
        answers.append(grown.post("/own/agree", {"phone": third}))
    first, second = answers
    assert first.status_code == second.status_code == 429
    assert (
        first.text.partition("<main")[2].partition("</main")[0]
        == second.text.partition("<main")[2].partition("</main")[0]
    )


def test_a_known_number_and_an_unknown_get_the_same_pages(desk: Desk) -> None:
    """And the same message: who reads the answers learns no numbers."""
    known = desk.phone()
    desk.by_phone(known, birth_date=GROWN)
    pages = []
    for number, phone in enumerate((known, desk.phone())):
        grown, _ = desk.by_email(f"asker.{number}@mail.test", birth_date=GROWN, first_name="Әсем")
        token = link(grown, phone)
        answer = grown.post("/consent", {"token": token, "purposes": ["registry"]})
        assert answer.status_code == 303
        shown = grown.get(f"/consent/sign?token={token}").text.partition("<main")[2].partition("</main")[0]
        pages.append(shown.replace(token, "").replace(f"{phone[-2:]}", "").replace(desk.code_to(phone), ""))
        assert grown.post("/consent/sign", {"token": token, "code": "x"}).status_code == 422
    strip = [page.partition('name="csrf"')[0] for page in pages]
    assert strip[0] == strip[1]
    assert desk.sms.of(known)[-1].split()[0] == "El"


def test_a_link_sends_four_codes(desk: Desk) -> None:
    """Whoever has the link: a stranger who was named by mistake is not rung all day."""
    child, _ = desk.by_phone(birth_date=CHILD)
    phone = desk.phone()
    child.post("/own/parent", {**NAMED, "address": phone})
    token = desk.link_to(phone).partition("token=")[2]
    holder = desk.house.visitor()
    said = [holder.post("/consent", {"token": token, "purposes": ["registry"]}).status_code for _ in range(6)]
    assert said == [303] * 4 + [429] * 2
    for _ in range(8):
        desk.post.round()
    assert len(desk.sms.of(phone)) <= 1 + 3, "the link, and three codes within the hour"


def test_an_account_asks_three_times_a_day(desk: Desk) -> None:
    """New links do not begin the count of codes anew all day long."""
    phone = desk.phone()
    grown, _ = desk.by_phone(phone, birth_date=GROWN)
    assert [grown.post("/own/agree", {"phone": phone}).status_code for _ in range(5)] == [303, 303, 303, 429, 429]
