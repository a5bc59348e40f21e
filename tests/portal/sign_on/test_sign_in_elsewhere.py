"""Signing in with an account of another site: linked once with the password, then by itself; never for the privileged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.conftest import PASSWORD
from tests.portal.mail import Post, mail_on
from tests.support.mailbox import link_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Visitor
    from tests.portal.sign_on.conftest import At

PLAIN = "myn-bala-school-manager"


@pytest.fixture
def post(house: House) -> Iterator[Post]:
    with mail_on(house) as running:
        yield running


def come(visitor: Visitor, at: At, subject: str, target: str = "", **claims: object):  # noqa: ANN201 (an answer)
    """To the provider and back."""
    way = visitor.get(f"/sign-in/with/{at.code}" + (f"?next={target}" if target else ""))
    assert way.status_code == 303, way.text
    assert way.headers["location"].startswith(f"{at.issuer}/authorize?")
    return visitor.get(at.authorize(way.headers["location"], subject=subject, **claims))


def link(visitor: Visitor, login: str, password: str = PASSWORD):  # noqa: ANN201 (an answer)
    """What the page «no login is linked yet» asks for."""
    return visitor.post("/sign-in/link", {"login": login, "password": password})


def signed_in(visitor: Visitor) -> bool:
    return visitor.get("/account").status_code == 200


def linked(house: House, at: At, login: str, subject: str) -> None:
    """An account there opens a login here."""
    visitor = house.visitor()
    assert come(visitor, at, subject).headers["location"] == "/sign-in/link"
    assert link(visitor, login).status_code == 303


def staff_of(house: House, login: str) -> int:
    return house.sql("select id from staff where login = $1", login)[0]["id"]


def test_linked_once_it_opens_the_login(house: House, at: At) -> None:
    """The page leads on to where the person wanted; the trail and the bell know of it."""
    login, visitor = house.person(PLAIN), house.visitor()
    assert f"/sign-in/with/{at.code}" in visitor.get("/sign-in").text
    assert come(visitor, at, "айгүл-1", "/history", email="aigul@mail.test").headers["location"] == "/sign-in/link"
    shown = visitor.get("/sign-in/link").text
    assert "aigul@mail.test" in shown
    assert not signed_in(visitor)
    answer = link(visitor, login)
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    assert signed_in(visitor)
    again = house.visitor()
    assert come(again, at, "айгүл-1", "/history").headers["location"] == "/history"
    assert f"{login}" in again.get("/account").text
    staff = staff_of(house, login)
    acts = [row["act"] for row in house.sql("select act from audit where staff_id = $1 order by id", staff)]
    assert acts[:2] == ["account.identity.linked", "account.session.began"]
    assert acts.count("account.session.began") == 2
    assert house.sql("select 1 from notice where staff_id = $1 and kind = 'identity.linked'", staff)


def test_a_wrong_password_links_nothing_and_counts(house: House, at: At) -> None:
    """As on the sign-in page."""
    login, visitor = house.person(PLAIN), house.visitor()
    come(visitor, at, "w")
    for _ in range(5):
        assert link(visitor, login, "wrong").status_code == 401
    assert link(visitor, login).status_code == 401, "five misses: it rests"
    assert house.sql("select 1 from account_identity where staff_id = $1", staff_of(house, login)) == []


def test_what_waits_is_of_its_browser_and_taken_once(house: House, at: At) -> None:
    """A link to the page gives a stranger's account to nobody."""
    first, second, visitor = house.person(PLAIN), house.person(PLAIN), house.visitor()
    come(visitor, at, "once")
    assert house.visitor().get("/sign-in/link").status_code == 410
    kept = visitor.cookies.get("elumiti_identity")
    assert link(visitor, first).status_code == 303
    thief = house.visitor()
    thief.cookies.set("elumiti_identity", kept or "", domain="portal.test")
    assert link(thief, second).status_code == 410
    late = house.visitor()
    come(late, at, "late")
    house.sql("update pending_identity set ends_at = now()")
    assert late.get("/sign-in/link").status_code == 410


def test_an_account_there_opens_one_login_here(house: House, at: At) -> None:
    """Whoever links it second is told."""
    first, second = house.person(PLAIN), house.person(PLAIN)
    linked(house, at, first, "one")
    owner = house.visitor(second)
    way = owner.post(f"/account/linked/{at.code}", {"present": PASSWORD})
    assert way.status_code == 200
    back = at.authorize(way_of(way.text), subject="one")
    assert owner.get(back).status_code == 409
    assert signed_in(owner), "his own session goes on"


def way_of(page: str) -> str:
    """Where a page that leads on leads to."""
    return page.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")


def test_from_the_account_page_with_the_password(house: House, at: At) -> None:
    """A session left open links nothing; taken off, it opens nothing and what it opened ends."""
    login = house.person(PLAIN)
    owner = house.visitor(login)
    assert f"/account/linked/{at.code}" in owner.get("/account").text
    assert owner.get(f"/account/linked/{at.code}").status_code == 200
    assert owner.post(f"/account/linked/{at.code}", {"present": "wrong"}).status_code == 422
    way = owner.post(f"/account/linked/{at.code}", {"present": PASSWORD})
    answer = owner.get(at.authorize(way_of(way.text), subject="mine", email="mine@mail.test"))
    assert answer.headers["location"] == "/account?linked=1"
    assert "mine@mail.test" in owner.get("/account?linked=1").text
    other = house.visitor()
    assert come(other, at, "mine").headers["location"] == "/"
    assert signed_in(other)
    identity = house.sql("select id from account_identity where subject = 'mine'")[0]["id"]
    stranger = house.worker(PLAIN)
    assert stranger.post(f"/account/linked/{identity}/remove").status_code == 404
    assert owner.post(f"/account/linked/{identity}/remove").status_code == 303
    assert not signed_in(other)
    assert signed_in(owner)
    assert come(house.visitor(), at, "mine").headers["location"] == "/sign-in/link"
    assert house.sql("select 1 from notice where staff_id = $1 and kind = 'identity.unlinked'", staff_of(house, login))


def test_the_last_way_in_stays(house: House, at: At) -> None:
    """Of an account without a password."""
    login = house.person(PLAIN)
    linked(house, at, login, "only")
    house.sql("update staff set password_hash = '' where login = $1", login)
    owner = house.visitor()
    come(owner, at, "only")
    identity = house.sql("select id from account_identity where subject = 'only'")[0]["id"]
    assert owner.post(f"/account/linked/{identity}/remove").status_code == 409
    assert house.visitor().post("/sign-in", {"login": login, "password": ""}).status_code == 401
    assert signed_in(owner)


@pytest.mark.parametrize("role", ["test-administrator", "super-admin", "proctor"])
def test_the_privileged_link_nothing(house: House, at: At, role: str) -> None:
    """On either way; it is on record, and the password alone opens no session there either."""
    login, visitor = house.person(role), house.visitor()
    come(visitor, at, f"privileged-{role}")
    assert link(visitor, login).status_code == 403
    assert not signed_in(visitor)
    staff = staff_of(house, login)
    assert house.sql("select 1 from staff_session where staff_id = $1", staff) == []
    assert house.sql("select 1 from account_identity where staff_id = $1", staff) == []
    assert house.sql("select 1 from audit where staff_id = $1 and act = 'account.identity.refused'", staff)
    owner = house.visitor(login)
    assert owner.get(f"/account/linked/{at.code}").status_code == 403
    assert owner.post(f"/account/linked/{at.code}", {"present": PASSWORD}).status_code == 403


def test_who_becomes_privileged_is_out_at_once(house: House, at: At) -> None:
    """Also when the role is in another project than the session; the link sleeps as long as the role is awake."""
    login = house.person(PLAIN)
    linked(house, at, login, "rises")
    inside = house.visitor()
    come(inside, at, "rises")
    assert signed_in(inside)
    staff = staff_of(house, login)
    house.sql(
        """
        insert into staff_grant (staff_id, role, project, ends_at)
        select $1, code, project, now() + interval '1 day' from role where code = 'qabilet-specialist'
        """,
        staff,
    )
    assert not signed_in(inside)
    assert come(house.visitor(), at, "rises").status_code == 403
    house.sql("update staff_grant set asleep_at = now() where staff_id = $1 and role = 'qabilet-specialist'", staff)
    assert come(house.visitor(), at, "rises").headers["location"] == "/"


def test_a_login_that_is_shut_stays_shut(house: House, at: At) -> None:
    """No session, and nothing to be learned."""
    login = house.person(PLAIN)
    linked(house, at, login, "shut")
    house.sql("update staff set disabled_at = now() where login = $1", login)
    visitor = house.visitor()
    assert come(visitor, at, "shut").status_code == 403
    assert not signed_in(visitor)


def test_a_provider_that_is_off_opens_nothing(house: House, at: At) -> None:
    """Not on the page, not by its address, not for who is on the way; its sessions end."""
    login = house.person(PLAIN)
    linked(house, at, login, "off")
    inside, away = house.visitor(), house.visitor()
    come(inside, at, "off")
    way = away.get(f"/sign-in/with/{at.code}").headers["location"]
    chief = house.worker("system-admin")
    assert chief.post(f"/sign-on/providers/{at.provider_id}/switch").status_code == 303
    assert not signed_in(inside)
    assert away.get(at.authorize(way, subject="off")).status_code == 410
    assert house.visitor().get(f"/sign-in/with/{at.code}").status_code == 404
    assert at.code not in house.visitor().get("/sign-in").text


# The five ways of pre-hijacking (Sudhodanan and Paverd, 2022), each with the attacker first.


def test_classic_federated_merge(house: House, at: At) -> None:
    """An attacker's account has the victim's e-mail; the victim's account at the provider is not merged with it."""
    attacker = house.person(PLAIN)
    house.sql("update staff set email = 'v1@mail.test', email_proven_at = now() where login = $1", attacker)
    victim = house.visitor()
    answer = come(victim, at, "victim-1", email="v1@mail.test", email_verified=True)
    assert answer.headers["location"] == "/sign-in/link"
    assert not signed_in(victim)


def test_a_provider_that_verifies_nothing(house: House, at: At) -> None:
    """The attacker says at his provider that the victim's e-mail is his: it opens nothing, verified or not."""
    victim = house.person(PLAIN)
    house.sql("update staff set email = 'v2@mail.test', email_proven_at = now() where login = $1", victim)
    for number, verified in enumerate([True, False, "true", None]):
        attacker = house.visitor()
        come(attacker, at, f"attacker-{number}", email="v2@mail.test", email_verified=verified)
        assert not signed_in(attacker)
        assert attacker.get("/sign-in/link").status_code == 200


def prove_email(house: House, post: Post, login: str, email: str) -> None:
    owner = house.visitor(login)
    assert owner.post("/account/email", {"email": email, "email_present": PASSWORD}).status_code == 303
    post.round()
    token = link_of(post.box.taken[-1]).partition("token=")[2]
    assert owner.post("/account/email/confirm", {"token": token}).status_code == 303


def test_trojan_identifier_and_unexpired_session(house: House, at: At, post: Post) -> None:
    """Whoever had the account before its e-mail was proven keeps neither session nor linked account."""
    login = house.person(PLAIN)
    linked(house, at, login, "trojan")
    attacker = house.visitor()
    come(attacker, at, "trojan")
    assert signed_in(attacker)
    prove_email(house, post, login, f"{login}@mail.test")
    assert not signed_in(attacker)
    assert come(house.visitor(), at, "trojan").headers["location"] == "/sign-in/link"


def test_a_forgotten_password_that_is_set_anew_takes_linked_accounts_off(house: House, at: At, post: Post) -> None:
    """The same when the owner comes back by his mailbox."""
    login, _ = post.reader(PLAIN)
    linked(house, at, login, "back")
    attacker = house.visitor()
    come(attacker, at, "back")
    house.visitor().post("/forgotten", {"login": login})
    post.round()
    token = link_of(post.box.taken[-1]).partition("token=")[2]
    answer = house.visitor().post("/forgotten/new", {"token": token, "new": "ұзақ әрі жаңа құпиясөз"})
    assert answer.status_code == 303
    assert not signed_in(attacker)
    assert come(house.visitor(), at, "back").headers["location"] == "/sign-in/link"


def test_unexpired_change_of_the_e_mail(house: House, post: Post) -> None:
    """The attacker asks for the victim's e-mail on his account and waits: the victim's click gives it to nobody."""
    attacker, victim = house.person(PLAIN), house.person(PLAIN)
    assert (
        house.visitor(attacker).post("/account/email", {"email": "v5@mail.test", "email_present": PASSWORD}).status_code
        == 303
    )
    post.round()
    letter = link_of(post.box.taken[-1])
    owner = house.visitor(victim)
    assert owner.get(letter).status_code == 410
    token = letter.partition("token=")[2]
    assert owner.post("/account/email/confirm", {"token": token}).status_code == 410
    assert house.visitor().get(letter).status_code == 303, "a stranger is asked to sign in"
    assert house.sql("select 1 from staff where email = 'v5@mail.test'") == []


def test_an_answer_by_form_is_opened_as_an_address(house: House, make_issuer: Callable[..., At]) -> None:
    """Apple: no cookie of ours comes with it, and the name it sends along stands in no address."""
    at = make_issuer(response_mode="form_post")
    visitor = house.visitor()
    way = visitor.get(f"/sign-in/with/{at.code}").headers["location"]
    assert "response_mode=form_post" in way
    back = at.authorize(way, subject="form")
    sent = dict(pair.split("=", 1) for pair in back.partition("?")[2].split("&"))
    form = {**sent, "user": '{"name": {"firstName": "Айгүл"}}'}
    bare = house.visitor().ask(
        "POST", f"/sign-in/answer/{at.code}", data=form, headers={"sec-fetch-site": "cross-site"}
    )
    assert bare.status_code == 303
    assert "user" not in bare.headers["location"]
    assert visitor.get(bare.headers["location"]).headers["location"] == "/sign-in/link"
