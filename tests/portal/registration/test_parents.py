"""A parent reads, ticks and signs by a code; the link signs nobody in and shows a first name alone (SAFETY P6)."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

from pypdf import PdfReader

from tests.portal.registration.conftest import CHILD, GROWN
from tests.support.mailbox import text_of

if TYPE_CHECKING:
    from tests.portal.registration.conftest import Desk

NAMED = {"given_by": "Оспанова Сәуле", "relation": "mother", "agreed": "1"}


def test_a_child_is_not_registered_before_a_parent_signed(desk: Desk) -> None:
    """Then each purpose apart is on record: text, language, channel, the child's own yes."""
    own, phone = desk.phone(), desk.phone()
    child, typed = desk.by_phone(own, birth_date=CHILD)
    assert desk.person(typed) is None
    assert child.post("/own/agree", {"phone": own}).status_code == 404, "a child does not agree for itself"
    unsaid = child.post("/own/parent", {**NAMED, "agreed": "", "address": phone})
    assert unsaid.status_code == 422, "the child's own yes is asked"
    desk.parent(child, phone, ("registry", "sitting", "contact"))
    person = desk.person(typed)
    rows = desk.house.sql(
        "select purpose, given_by, relation, channel, text_version, language, child_agreed, recorded_by from consent where person_id = $1 order by id",
        person,
    )
    expected = ("Оспанова Сәуле", "mother", "sms", "2026-1", "kk", True, None)
    assert [tuple(row) for row in rows] == [(purpose, *expected) for purpose in ("registry", "sitting", "contact")]
    assert "Оспанова Сәуле" in child.get("/me/consents").text
    assert child.post("/me/consents/withdraw", {"purpose": "contact"}).status_code == 422, (
        "a child withdraws by its parent"
    )


def test_the_link_shows_a_first_name_and_signs_nobody_in(desk: Desk) -> None:
    """Neither last name, birth date, school nor login; no session; nothing is ticked."""
    child, typed = desk.by_phone(birth_date=CHILD)
    phone = desk.phone()
    child.post("/own/parent", {**NAMED, "address": phone})
    parent = desk.house.visitor()
    page = parent.get(desk.link_to(phone))
    shown = page.text.partition("<main")[2]
    assert str(typed["first_name"]) in shown
    for hidden in (typed["last_name"], "14.03.2013", "2013", "Мектеп", typed["login"], "7А", phone):
        assert str(hidden) not in shown, hidden
    assert "checked" not in shown
    assert "elumiti_session" not in parent.cookies
    assert parent.get("/own").status_code == 303
    text = desk.sms.of(phone)[-1]
    assert typed["last_name"] not in text


def test_only_the_code_of_that_phone_signs(desk: Desk) -> None:
    """Who has the link without the phone signs nothing; three tries; once."""
    child, typed = desk.by_phone(birth_date=CHILD)
    phone = desk.phone()
    child.post("/own/parent", {**NAMED, "address": phone})
    token = desk.link_to(phone).partition("token=")[2]
    thief = desk.house.visitor()
    assert thief.post("/consent/sign", {"token": token, "code": "000000"}).status_code == 410, "nothing chosen yet"
    thief.post("/consent", {"token": token, "purposes": ["registry", "publication"]})
    tries = [thief.post("/consent/sign", {"token": token, "code": f"00000{n}"}).status_code for n in range(4)]
    assert tries == [422] * 3 + [410]
    assert desk.person(typed) is None
    parent = desk.house.visitor()
    parent.post("/consent", {"token": token, "purposes": ["registry"]})
    assert parent.post("/consent/sign", {"token": token, "code": desk.code_to(phone)}).status_code == 303
    held = desk.house.sql("select purpose from consent where person_id = $1", desk.person(typed))
    assert [row["purpose"] for row in held] == ["registry"], "what was ticked last before the code"
    assert parent.get(f"/consent?token={token}").status_code == 410
    assert parent.post("/consent", {"token": token, "purposes": ["camera"]}).status_code == 410


def test_the_own_number_is_no_parents(desk: Desk) -> None:
    """Nor may a child ring phones all day."""
    phone = desk.phone()
    child, _ = desk.by_phone(phone, birth_date=CHILD)
    assert child.post("/own/parent", {**NAMED, "address": phone}).status_code == 422
    answers = [child.post("/own/parent", {**NAMED, "address": desk.phone()}).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]


def test_a_crowd_of_children_rings_no_phone_all_day(desk: Desk) -> None:
    """Logins are made by the dozen with a class's code; one number gets six links a day, whoever names it."""
    phone, teacher = desk.phone(), desk.teacher()
    code = desk.code_of(teacher)
    answers = []
    for _ in range(7):
        child, typed, _ = desk.by_code(code)
        teacher.post(f"/registrations/{desk.registration(typed)}/confirm", {"person": "new"})
        answers.append(child.post("/own/parent", {**NAMED, "address": phone}).status_code)
    assert answers == [*[303] * 6, 429]
    for _ in range(8):
        desk.post.round()
    assert len(desk.sms.of(phone)) == 6


def test_a_stranger_keeps_no_parent_from_signing(desk: Desk) -> None:
    """Who knows the number and asks for codes and links of other pages with it uses up nothing of the signature."""
    child, typed = desk.by_phone(birth_date=CHILD)
    phone, stranger = desk.phone(), desk.house.visitor()
    for _ in range(4):
        stranger.post("/register/phone", {"phone": phone})
        stranger.post("/consent/stop", {"phone": phone})
        desk.post.round()
    desk.parent(child, phone)
    assert desk.person(typed)


def test_a_newer_link_ends_the_older(desk: Desk) -> None:
    child, _ = desk.by_phone(birth_date=CHILD)
    first, second = desk.phone(), desk.phone()
    child.post("/own/parent", {**NAMED, "address": first})
    link = desk.link_to(first)
    child.post("/own/parent", {**NAMED, "address": second})
    assert desk.house.visitor().get(link).status_code == 410
    assert desk.house.visitor().get(desk.link_to(second)).status_code == 200


def test_an_e_mail_leads_to_paper(desk: Desk) -> None:
    """The law knows no letter: no code, the form as PDF instead."""
    child, typed = desk.by_phone(birth_date=CHILD)
    child.post("/own/parent", {**NAMED, "address": "saule@mail.test"})
    desk.post.round()
    letter = desk.post.box.taken[-1]
    assert str(typed["last_name"]) not in text_of(letter)
    token = text_of(letter).partition("token=")[2].split()[0]
    parent = desk.house.visitor()
    shown = parent.post("/consent", {"token": token, "purposes": ["registry"]})
    assert shown.status_code == 200
    assert "/consent/paper" in shown.text
    assert parent.get(f"/consent/sign?token={token}").status_code == 410
    paper = parent.get("/consent/paper")
    read = PdfReader(io.BytesIO(paper.content))
    words = "".join(one.extract_text() for one in read.pages)
    assert len(read.pages) <= 2
    assert "2026-1" in words
    assert "Камера" in words or "камера" in words


def test_a_parent_withdraws_by_a_link(desk: Desk) -> None:
    """Asked for by the phone that signed: each purpose apart, at once; a phone that signed nothing gets nothing."""
    child, typed = desk.by_phone(birth_date=CHILD)
    phone = desk.phone()
    desk.parent(child, phone, ("registry", "camera", "contact"))
    person = desk.person(typed)
    asker, stranger = desk.house.visitor(), desk.phone()
    pages = {asker.post("/consent/stop", {"phone": one}).headers["location"] for one in (phone, stranger)}
    assert pages == {"/consent/stop?sent=1"}
    token = desk.link_to(phone).partition("token=")[2]
    assert desk.sms.of(stranger) == []
    parent = desk.house.visitor()
    shown = parent.get(f"/consent/withdraw?token={token}").text
    assert str(typed["last_name"]) not in shown
    assert "/own" not in shown
    assert parent.post("/consent/withdraw", {"token": token}).status_code == 422
    done = parent.post("/consent/withdraw", {"token": token, "purposes": ["camera"]})
    assert done.headers["location"] == "/consent/done?withdrawn=1"
    left = desk.house.sql(
        "select purpose from consent where person_id = $1 and withdrawn_at is null order by 1", person
    )
    assert [row["purpose"] for row in left] == ["contact", "registry"]
    assert parent.post("/consent/withdraw", {"token": token, "purposes": ["registry"]}).status_code == 410
    give = desk.house.visitor().get(f"/consent?token={token}")
    assert give.status_code == 410, "a link to withdraw agrees to nothing"


def test_the_age_is_data(desk: Desk) -> None:
    """Where the law says sixteen, a person of sixteen agrees for himself."""
    phone = desk.phone()
    child, _ = desk.by_phone(phone, birth_date=f"01.01.{dt.datetime.now(dt.UTC).year - 17}")
    assert child.post("/own/agree", {"phone": phone}).status_code == 404
    desk.house.sql("update setting set value = '16' where name = 'consent_age'")
    try:
        assert child.post("/own/agree", {"phone": phone}).status_code == 303
    finally:
        desk.house.sql("update setting set value = '18' where name = 'consent_age'")


def test_of_age_he_withdraws_by_himself(desk: Desk) -> None:
    """Each purpose apart; another's cannot be named."""
    phone = desk.phone()
    grown, typed = desk.by_phone(phone, birth_date=GROWN)
    token = grown.post("/own/agree", {"phone": phone}).headers["location"].partition("token=")[2]
    grown.post("/consent", {"token": token, "purposes": ["registry", "talents"]})
    grown.post("/consent/sign", {"token": token, "code": desk.code_to(phone)})
    assert grown.post("/me/consents/withdraw", {"purpose": "camera"}).status_code == 404
    assert grown.post("/me/consents/withdraw", {"purpose": "talents"}).headers["location"] == "/me/consents?withdrawn=1"
    row = desk.house.sql(
        "select withdrawn_by = (select id from staff where login = $2) as own from consent where person_id = $1 and purpose = 'talents'",
        *(desk.person(typed), typed["login"]),
    )
    assert row[0]["own"]
    assert "өшірілетін күні" in grown.get("/me/consents").text
