"""The own e-mail is proven by a link that its owner opens while signed in; what was begun before ends (SAFETY P3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.conftest import PASSWORD
from tests.portal.mail import Post, mail_on
from tests.support.mailbox import link_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Visitor


@pytest.fixture
def post(house: House) -> Iterator[Post]:
    with mail_on(house) as running:
        yield running


def ask(visitor: Visitor, email: str, password: str = PASSWORD) -> int:
    return visitor.post("/account/email", {"email": email, "email_present": password}).status_code


def email_of(house: House, login: str) -> str | None:
    return house.sql("select email from staff where login = $1", login)[0]["email"]


def prove(visitor: Visitor, link: str) -> int:
    """As a person does: open the page, press the button."""
    assert visitor.get(link).status_code == 200
    return visitor.post("/account/email/confirm", {"token": link.partition("token=")[2]}).status_code


def test_it_works_and_ends_what_was_before(house: House, post: Post) -> None:
    """All sessions, open links, and of an account without an e-mail also the keys."""
    login = house.person("proctor")
    owner, before = house.visitor(login), house.visitor(login)
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "insert into staff_key (staff_id, credential_id, public_key, sign_count, name) values ($1, $2, '', 0, 'бөгде')",
        *(staff, login.encode()),
    )
    assert ask(owner, f"{login}@first.test") == 303
    assert ask(owner, f"{login}@second.test") == 303
    post.round()
    first, second = (link_of(letter) for letter in post.box.taken)
    assert owner.get(first).status_code == 410, "only the newest letter's link works"
    assert email_of(house, login) is None, "an address that was typed is nobody's yet"
    assert prove(owner, second) == 303
    assert email_of(house, login) == f"{login}@second.test"
    assert (owner.get("/account").status_code, before.get("/account").status_code) == (303, 303)
    assert house.sql("select 1 from staff_key where staff_id = $1", staff) == []
    record = house.sql("select before, after from audit where act = 'account.email.proven' and staff_id = $1", staff)
    assert [tuple(row) for row in record] == [({"email": None}, {"email": f"{login}@second.test"})]


def test_a_change_keeps_the_keys_and_ends_an_open_reset(house: House, post: Post) -> None:
    """The account was proven: its keys are its owner's. A reset sent to the old mailbox is void."""
    login, old = post.reader()
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "insert into staff_key (staff_id, credential_id, public_key, sign_count, name) values ($1, $2, '', 0, 'өз')",
        *(staff, login.encode()),
    )
    owner = house.visitor(login)
    house.visitor().post("/forgotten", {"login": login})
    assert ask(owner, f"{login}@new.test") == 303
    post.round()
    links = {letter["to"]: link_of(letter) for letter in post.box.taken}
    assert prove(owner, links[f"{login}@new.test"]) == 303
    post.round()
    told = post.box.taken[-1]
    assert (told["to"], f"«{login}»" in text_of(told)) == (old, True), "who reads the old mailbox learns of it"
    assert len(house.sql("select 1 from staff_key where staff_id = $1", staff)) == 1
    assert house.visitor().get(links[old]).status_code == 410


def test_a_factor_that_was_shown_stays(house: House, post: Post) -> None:
    """Its person is here; without it a thief of the password could add one of his own."""
    login = house.person("proctor")
    owner = house.visitor(login)
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "insert into staff_key (staff_id, credential_id, public_key, sign_count, name) values ($1, $2, '', 0, 'өз')",
        *(staff, login.encode()),
    )
    house.sql("update staff_session set factor_at = now() where staff_id = $1", staff)
    assert ask(owner, f"{login}@mail.test") == 303
    post.round()
    assert prove(owner, link_of(post.box.taken[0])) == 303
    assert len(house.sql("select 1 from staff_key where staff_id = $1", staff)) == 1


def test_a_strange_mailbox_proves_nothing(house: House, post: Post) -> None:
    """A slip of the finger sends the link to a stranger: without the account's own sign-in it does nothing."""
    owner, stranger = house.worker("proctor"), house.worker("proctor")
    ask(owner, "slip@mail.test")
    post.round()
    link = link_of(post.box.taken[0])
    asked = house.visitor().get(link)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/sign-in?next=/account/email%3Ftoken%3D"), (
        "back to it after the sign-in"
    )
    assert stranger.get(link).status_code == 410
    assert stranger.post("/account/email/confirm", {"token": link.partition("token=")[2]}).status_code == 410
    assert house.sql("select 1 from staff where email = 'slip@mail.test'") == []


def test_an_address_of_another_login_is_told_to_its_reader_alone(house: House, post: Post) -> None:
    """Asking tells nothing; who opened the link in that mailbox reads why not."""
    _, taken = post.reader()
    owner = house.worker("proctor")
    assert ask(owner, taken) == 303
    post.round()
    link = link_of(post.box.taken[0])
    assert owner.get(link).status_code == 200
    assert owner.post("/account/email/confirm", {"token": link.partition("token=")[2]}).status_code == 409
    assert owner.get("/account").status_code == 200, "nothing was changed"


def test_without_the_password_nothing_is_sent(house: House, post: Post) -> None:
    owner = house.worker("proctor")
    assert ask(owner, "new@mail.test", "wrong") == 422
    assert ask(owner, "no address") == 422
    assert house.sql("select 1 from post") == []
    for _ in range(5):
        assert ask(owner, "new@mail.test") == 303
    assert ask(owner, "new@mail.test") == 429


def test_the_e_mail_is_taken_off_with_the_password(house: House, post: Post) -> None:
    login, address = post.reader()
    owner = house.visitor(login)
    assert owner.post("/account/email/remove", {"email_present": "wrong"}).status_code == 422
    assert owner.post("/account/email/remove", {"email_present": PASSWORD}).status_code == 303
    assert email_of(house, login) is None
    post.round()
    assert [letter["to"] for letter in post.box.taken] == [address]


def test_a_phone_is_kept_as_one_number(house: House) -> None:
    login = house.person("proctor")
    owner = house.visitor(login)
    assert owner.post("/account/phone", {"phone": "8 (700) 123-45-67"}).status_code == 303
    assert "+77001234567" in owner.get("/account").text
    assert owner.post("/account/phone", {"phone": "көрші"}).status_code == 422
    assert owner.post("/account/phone", {"phone": ""}).status_code == 303
    assert house.sql("select phone from staff where login = $1", login)[0]["phone"] == ""


def test_all_other_sessions_end_by_one_button(house: House) -> None:
    login = house.person("proctor")
    here, others = house.visitor(login), [house.visitor(login) for _ in range(3)]
    assert "/account/sessions/end-others" in here.get("/account").text
    assert here.post("/account/sessions/end-others").status_code == 303
    assert [other.get("/account").status_code for other in others] == [303] * 3
    shown = here.get("/account")
    assert (shown.status_code, "/account/sessions/end-others" in shown.text) == (200, False)
