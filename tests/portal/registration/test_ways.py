"""Registering by phone and by e-mail: nobody learns who has an account, and nobody is there before the address is proven."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from portal.core.accounts import proofs
from tests.portal.conftest import PASSWORD as STAFF_PASSWORD
from tests.portal.registration.conftest import CHILD, GROWN, PASSWORD
from tests.support.mailbox import link_of, text_of

if TYPE_CHECKING:
    from tests.portal.registration.conftest import Desk

HIDDEN = re.compile(r'value="[^"]*"|token(=|%3D)[\w%-]+')
TABLES = ("proof", "post", "audit", "staff", "registration")


def counts(desk: Desk) -> dict[str, int]:
    return {table: desk.house.sql(f"select count(*) as n from {table}")[0]["n"] for table in TABLES}


def test_by_phone_of_age(desk: Desk) -> None:
    """Code, form, text, code: registered, with a role that ends with the school year, on record, and not of the staff."""
    phone = desk.phone()
    visitor, typed = desk.by_phone(phone, birth_date=GROWN, part="qabilet:qabilet-test-taker")
    shown = visitor.get("/own").text
    assert "Енді неге келісетініңізді шешесіз" in shown
    assert desk.person(typed) is None
    answer = visitor.post("/own/agree", {"phone": phone})
    token = answer.headers["location"].partition("token=")[2]
    assert "checked" not in visitor.get(answer.headers["location"]).text, "nothing is ticked beforehand"
    refused = visitor.post("/consent", {"token": token, "purposes": ["contact"]})
    assert (refused.status_code, "келісімсіз тіркелу болмайды" in refused.text) == (422, True)
    visitor.post("/consent", {"token": token, "purposes": ["registry", "sitting"]})
    signed = visitor.post("/consent/sign", {"token": token, "code": desk.code_to(phone)})
    assert signed.headers["location"] == "/own"
    person = desk.person(typed)
    rows = desk.house.sql("select purpose, relation, channel, text_version from consent where person_id = $1", person)
    assert {tuple(row) for row in rows} == {
        ("registry", "self", "sms", "2026-1"),
        ("sitting", "self", "sms", "2026-1"),
    }
    role = desk.house.sql(
        """
        select g.role, g.project, g.ends_at < now() + interval '14 months' as ends, s.phone_proven_at is not null as proven,
               s.registered_at is not null as registered
        from staff_grant g join staff s on s.id = g.staff_id where s.login = $1
        """,
        typed["login"],
    )
    assert tuple(role[0]) == ("qabilet-test-taker", "qabilet", True, True, True)
    assert visitor.get("/").headers["location"] == visitor.get("/own").headers["location"] == "/me"
    page = visitor.get("/me").text
    assert "Оспанова" in page
    menu = page.partition('class="side"')[2].partition("</nav>")[0]
    assert set(re.findall(r'<a href="([^"]+)"', menu)) - {"/demo"} == {"/me", "/help"}, "one home, not two"
    tabs = set(re.findall(r'<a href="(/me[^"]*)"', page.partition('class="tabs"')[2].partition("</nav>")[0]))
    assert tabs == {"/me", "/me/portfolio", "/me/attached", "/me/results", "/me/reviews", "/me/consents", "/me/watched"}
    for path in ("/persons", "/staff", "/registrations", "/sittings", "/consent-texts", "/erasures"):
        assert visitor.get(path).status_code == 403, path
    acts = {row["act"] for row in desk.house.sql("select act from audit where object_id = $1", str(person))}
    assert {"registration.person.joined", "person.consent.recorded"} <= acts


def test_by_email(desk: Desk) -> None:
    """The link works once; opening it uses nothing up; the e-mail is proven from the first moment."""
    visitor, typed = desk.by_email("aruzhan@mail.test")
    row = desk.house.sql("select email, email_proven_at from staff where login = $1", typed["login"])[0]
    assert row["email"] == "aruzhan@mail.test"
    assert row["email_proven_at"] is not None
    link = link_of(desk.post.box.taken[-1])
    assert visitor.get(link).status_code == 410
    again = desk.house.visitor()
    sent = again.post("/register/new", {"token": link.partition("token=")[2], **desk.form()})
    assert sent.status_code == 410
    assert "Ата-анаң" in visitor.get("/own").text or "ата-анаң" in visitor.get("/own").text


def test_the_answer_and_the_work_are_the_same_for_a_known_address(desk: Desk) -> None:
    """Known to staff, known to a registered person, shut, unknown: one page, one row; only the owner learns more."""
    login, known = desk.post.reader()
    shut_login, shut = desk.post.reader()
    desk.house.sql("update staff set disabled_at = now() where login = $1", shut_login)
    pages, works = set(), []
    for email in (known, shut, "new@mail.test", known.upper()):
        visitor, before = desk.house.visitor(), counts(desk)
        answer = visitor.post("/register/email", {"email": email})
        works.append({table: after - before[table] for table, after in counts(desk).items()})
        pages.add((answer.status_code, HIDDEN.sub("", visitor.get(answer.headers["location"]).text)))
    assert len(pages) == 1
    assert works == [{"proof": 1, "post": 0, "audit": 0, "staff": 0, "registration": 0}] * 4
    desk.post.round()
    letters = {str(letter["to"]): text_of(letter) for letter in desk.post.box.taken}
    assert set(letters) == {known, "new@mail.test"}
    assert login in letters[known]
    assert "/forgotten" in letters[known]
    assert "/register/new" not in letters[known]


def test_a_known_phone_gets_the_same_pages_and_no_code(desk: Desk) -> None:
    """Whoever types another's number meets the same «this is not the code»."""
    phone = desk.phone()
    desk.by_phone(phone)
    stranger = desk.house.visitor()
    seen = []
    for number in (phone, desk.phone()):
        where = stranger.post("/register/phone", {"phone": number}).headers["location"]
        desk.post.round()
        token = where.partition("token=")[2]
        answers = [stranger.post("/register/code", {"token": token, "code": "000000"}) for _ in range(6)]
        seen.append([(one.status_code, HIDDEN.sub("", one.text)) for one in answers])
    assert seen[0] == seen[1]
    assert [status for status, _ in seen[0]] == [422] * 5 + [410]
    assert "аккаунт бар" in desk.sms.of(phone)[-1]


def test_a_code_lives_ten_minutes_five_tries_and_one_browser(desk: Desk) -> None:
    """Not even the right one works after them; a code of one ask opens no other."""
    phone, visitor = desk.phone(), desk.house.visitor()
    token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
    code = desk.code_to(phone)
    other = visitor.post("/register/phone", {"phone": desk.phone()}).headers["location"].partition("token=")[2]
    desk.post.round()
    assert visitor.post("/register/code", {"token": other, "code": code}).status_code == 422
    desk.house.sql("update proof set ends_at = now() where address = $1", phone)
    assert visitor.post("/register/code", {"token": token, "code": code}).status_code == 410
    token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
    code = desk.code_to(phone)
    for _ in range(5):
        visitor.post("/register/code", {"token": token, "code": "999999" if code != "999999" else "111111"})
    assert visitor.post("/register/code", {"token": token, "code": code}).status_code == 410
    assert visitor.get(f"/register/new?token={token}").status_code == 410, "an unproven number opens no form"
    assert visitor.post("/register/new", {"token": token, **desk.form()}).status_code == 410


def test_a_phone_rings_three_times_an_hour(desk: Desk) -> None:
    """A stranger's clicks do not fill it; the page answers the same."""
    phone, visitor = desk.phone(), desk.house.visitor()
    for _ in range(5):
        assert visitor.post("/register/phone", {"phone": phone}).status_code == 303
        desk.post.round()
    assert len(desk.sms.of(phone)) == 3


def test_a_phone_rings_eight_times_a_day(desk: Desk) -> None:
    """Nor is a number rung each hour through the night."""
    phone, visitor = desk.phone(), desk.house.visitor()
    for _ in range(10):
        visitor.post("/register/phone", {"phone": phone})
        desk.post.round()
        desk.house.sql("update proof set asked_at = asked_at - interval '70 minutes' where address = $1", phone)
    assert len(desk.sms.of(phone)) == 8


def test_thirty_children_behind_one_address_pass(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood from there does not."""
    visitor = desk.house.visitor()
    for number in range(30):
        assert visitor.post("/register/email", {"email": f"child{number}@mail.test"}).status_code == 303
    monkeypatch.setattr(proofs, "ASKS", 30)
    assert visitor.post("/register/email", {"email": "one-more@mail.test"}).status_code == 429
    assert desk.house.visitor().post("/register/email", {"email": "elsewhere@mail.test"}).status_code == 303


def test_a_dump_of_the_database_opens_nothing(desk: Desk) -> None:
    """Neither link nor code stands in a table; what makes them is outside."""
    phone, visitor = desk.phone(), desk.house.visitor()
    visitor.post("/register/phone", {"phone": phone})
    visitor.post("/register/email", {"email": "dump@mail.test"})
    code = desk.code_to(phone)
    token = link_of(desk.post.box.taken[-1]).partition("token=")[2]
    dumped = str(desk.house.sql("select * from proof")) + str(desk.house.sql("select * from post"))
    assert code not in dumped
    assert token not in dumped


def test_nobody_becomes_staff_by_registering(desk: Desk) -> None:
    """A role of staff, one of another project, none at all: refused, and nothing is made."""
    for part in ("birge-oqy:birge-teacher", "myn-bala:super-admin", "qabilet:myn-bala-pupil", "myn-bala:", ""):
        phone, visitor = desk.phone(), desk.house.visitor()
        token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
        visitor.post("/register/code", {"token": token, "code": desk.code_to(phone)})
        typed = desk.form(part=part)
        assert visitor.post("/register/new", {"token": token, **typed}).status_code == 422, part
        assert desk.house.sql("select 1 from staff where login = $1", typed["login"]) == []


def test_what_is_wrong_is_said_beside_its_field(desk: Desk) -> None:
    """Login taken, password guessed, birth date of nobody, school of another region: nothing half-done."""
    taken = desk.house.person("proctor")
    phone, visitor = desk.phone(), desk.house.visitor()
    token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
    visitor.post("/register/code", {"token": token, "code": desk.code_to(phone)})
    for field, value in (
        ("login", taken),
        ("login", "я"),
        ("login", "erased-7"),
        ("password", "qwertyuiop"),
        ("birth_date", "31.02.2013"),
        ("birth_date", "01.01.2026"),
        ("school", "999999"),
        ("last_name", "—"),
        ("grade", "13"),
    ):
        answer = visitor.post("/register/new", {"token": token, **desk.form(**{field: value})})
        assert (answer.status_code, f'id="e-{field}"' in answer.text) == (422, True), (field, value)
    assert desk.house.sql("select 1 from staff where phone = $1", phone) == []
    desk.send(visitor, token, desk.form())


def test_a_link_is_no_way_to_learn_logins(desk: Desk) -> None:
    """Taken ones are counted; then the link is over."""
    taken = desk.house.person("proctor")
    phone, visitor = desk.phone(), desk.house.visitor()
    token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
    visitor.post("/register/code", {"token": token, "code": desk.code_to(phone)})
    answers = [visitor.post("/register/new", {"token": token, **desk.form(login=taken)}) for _ in range(21)]
    assert [one.status_code for one in answers] == [422] * 20 + [429]


def test_a_phone_sets_a_forgotten_password(desk: Desk) -> None:
    """Who has no e-mail gets the link by SMS."""
    phone = desk.phone()
    _, typed = desk.by_phone(phone)
    visitor = desk.house.visitor()
    visitor.post("/forgotten", {"login": phone.replace("+7", "8")})
    token = desk.link_to(phone).partition("token=")[2]
    assert visitor.post("/forgotten/new", {"token": token, "new": "тағы бір ұзақ сөйлем"}).status_code == 303
    signed = visitor.post("/sign-in", {"login": typed["login"], "password": "тағы бір ұзақ сөйлем"})
    assert signed.status_code == 303


def test_an_unproven_account_keeps_nothing_when_the_owner_proves_the_address(desk: Desk) -> None:
    """Pre-hijacking (SAFETY P3): a login without e-mail that a stranger prepared loses its sessions, links and factors."""
    teacher = desk.teacher()
    attacker, typed, answer = desk.by_code(desk.code_of(teacher))
    assert answer.status_code == 303
    owner = desk.house.visitor()
    assert owner.post("/sign-in", {"login": typed["login"], "password": PASSWORD}).status_code == 303
    owner.token = None
    staff = desk.house.sql("select id from staff where login = $1", typed["login"])[0]["id"]
    desk.house.sql(
        "insert into staff_key (staff_id, credential_id, public_key, sign_count, name) values ($1, $2, '', 0, 'x')",
        *(staff, str(typed["login"]).encode()),
    )
    owner.post("/account/email", {"email": "owner@mail.test", "email_present": PASSWORD})
    desk.post.round()
    token = link_of(desk.post.box.taken[-1]).partition("token=")[2]
    assert owner.post("/account/email/confirm", {"token": token}).status_code == 303
    assert attacker.get("/own").status_code == 303, "the stranger's session is over"
    assert desk.house.sql("select 1 from staff_key where staff_id = $1", staff) == []


def test_an_address_that_was_proven_by_another_meanwhile_makes_no_second_account(desk: Desk) -> None:
    """Two links to one mailbox: the first that is used ends the other."""
    visitor = desk.house.visitor()
    tokens = []
    for _ in range(2):
        visitor.post("/register/email", {"email": "twice@mail.test"})
        desk.post.round()
        tokens.append(link_of(desk.post.box.taken[-1]).partition("token=")[2])
    desk.send(visitor, tokens[0], desk.form())
    assert desk.house.visitor().post("/register/new", {"token": tokens[1], **desk.form()}).status_code == 410


def test_the_staff_list_shows_staff(desk: Desk) -> None:
    """Who registered is there when asked for, and with a role of staff."""
    _, typed = desk.by_phone(birth_date=CHILD)
    admin = desk.house.worker("super-admin")
    staff = desk.house.sql("select id from staff where login = $1", typed["login"])[0]["id"]
    assert (
        str(typed["login"])
        not in admin.get(f"/staff?q={typed['login']}").text.partition("<main")[2].partition("<table")[2]
    )
    assert f'href="/staff/{staff}"' in admin.get(f"/staff?who=registered&q={typed['login']}").text
    given = {"role": "proctor@myn-bala", "region": desk.place.region, "ends_on": "2027-08-31"}
    latest = re.search(r'max="([\d-]+)"', admin.get(f"/staff/{staff}").text)
    given["ends_on"] = latest.group(1) if latest else given["ends_on"]
    assert admin.post(f"/staff/{staff}/grant", given).status_code == 303
    assert f'href="/staff/{staff}"' in admin.get(f"/staff?q={typed['login']}").text
    assert STAFF_PASSWORD


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("Әсем-Ай", True),
        ("О’Коннор", True),
        ("Ким Т.", True),
        ("Сіз ұттыңыз: elumiti.example/jyldam", False),
        ("evil.kz", False),
        ("Асем 87011234567", False),
        ("Ай\u202eгүл", False),
        ("Айгүл\nБекова", False),
        ("<b>Ай</b>", False),
    ],
)
def test_a_name_is_no_message(desk: Desk, name: str, good: bool) -> None:
    """Whoever gets a link to a consent reads the child's name on our page: a stranger writes no advertisement there."""
    _, _, answer = desk.by_code(desk.code_of(desk.teacher()), first_name=name)
    assert (answer.status_code == 303) is good
    child, _ = desk.by_phone(birth_date=CHILD)
    named = {"given_by": name, "relation": "mother", "address": desk.phone(), "agreed": "1"}
    assert child.post("/own/parent", named).status_code == (303 if good else 422)
