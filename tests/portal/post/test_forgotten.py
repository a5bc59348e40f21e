"""A forgotten password: nobody learns which logins exist, the link works once and signs nobody in (SAFETY P3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.portal.conftest import PASSWORD
from tests.portal.mail import mail_on
from tests.support.mailbox import link_of, text_of

if TYPE_CHECKING:
    from tests.portal.conftest import House
    from tests.portal.mail import Post

NEW = "ұзақ әрі жаңа құпиясөз"
HIDDEN = re.compile(r'value="[^"]*"')
# What an ask could touch, so that its work can be compared.
TABLES = ("reset_ask", "staff_link", "post", "audit")


def counts(house: House) -> dict[str, int]:
    return {table: house.sql(f"select count(*) as n from {table}")[0]["n"] for table in TABLES}


def test_the_whole_way(house: House, post: Post) -> None:
    """Asked, written, set: old sessions end, keys stay, the link is over, all of it is on record."""
    login, address = post.reader()
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.sql(
        "insert into staff_key (staff_id, credential_id, public_key, sign_count, name) values ($1, $2, '', 0, 'кілт')",
        *(staff, login.encode()),
    )
    elsewhere, visitor = house.visitor(login), house.visitor()
    assert visitor.get("/sign-in").text.count('href="/forgotten"') == 1
    assert visitor.post("/forgotten", {"login": login.upper()}).headers["location"] == "/forgotten?sent=1"
    post.round()
    (letter,) = post.box.taken
    assert letter["to"] == address
    link = link_of(letter)
    assert visitor.get(link).status_code == 200, "opening the page uses nothing up"
    token = link.partition("token=")[2]
    assert visitor.post("/forgotten/new", {"token": token, "new": "short"}).status_code == 422
    answer = visitor.post("/forgotten/new", {"token": token, "new": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?said=password")
    assert "elumiti_session" not in answer.headers.get("set-cookie", "")
    assert visitor.get("/account").status_code == 303, "the link signs nobody in"
    assert elsewhere.get("/account").status_code == 303, "the other session has ended"
    assert visitor.post("/forgotten/new", {"token": token, "new": NEW + "2"}).status_code == 410
    assert visitor.get(link).status_code == 410
    assert visitor.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 401
    assert visitor.post("/sign-in", {"login": login, "password": NEW}).status_code == 303
    assert len(house.sql("select 1 from staff_key where staff_id = $1", staff)) == 1, "the second factor stays"
    post.round()
    assert "өзгертілді" in str(post.box.taken[1]["subject"]), "the owner is told, whoever did it"
    acts = house.sql(
        "select act, staff_id from audit where object_id = $1 and act like 'account.reset.%' order by id", str(staff)
    )
    assert [tuple(row) for row in acts] == [("account.reset.asked", None), ("account.reset.done", staff)]


def test_the_answer_and_the_work_are_the_same_for_a_login_that_nobody_has(house: House, post: Post) -> None:
    """Known with e-mail, known without, shut, unknown: one page, one row written."""
    known, address = post.reader()
    shut, _ = post.reader()
    house.sql("update staff set disabled_at = now() where login = $1", shut)
    pages, works = set(), []
    for typed in (known, address, house.person("proctor"), shut, "nobody-at-all", "nobody@mail.test", "' or 1=1 --"):
        visitor = house.visitor()
        before = counts(house)
        answer = visitor.post("/forgotten", {"login": typed})
        works.append({table: after - before[table] for table, after in counts(house).items()})
        pages.add((answer.status_code, HIDDEN.sub("", visitor.get(answer.headers["location"]).text)))
    assert len(pages) == 1
    assert works == [{"reset_ask": 1, "staff_link": 0, "post": 0, "audit": 0}] * 7
    post.round()
    assert post.of(address) == ["sent", "sent"]
    assert {letter["to"] for letter in post.box.taken} == {address}
    assert house.sql("select 1 from reset_ask where typed <> ''") == [], "what was typed is not kept"


def test_a_link_is_good_for_half_an_hour_and_one_person(house: House, post: Post) -> None:
    login, _ = post.reader()
    house.visitor().post("/forgotten", {"login": login})
    post.round()
    link = link_of(post.box.taken[0])
    left = house.sql("select ends_at - now() as left from staff_link where purpose = 'password' order by made_at desc")[
        0
    ]
    assert 29 * 60 < left["left"].total_seconds() <= 30 * 60
    house.sql("update staff_link set ends_at = now() where purpose = 'password'")
    assert house.visitor().get(link).status_code == 410
    for wrong in ("", "x" * 43, "\x00", "ә" * 200):
        assert house.visitor().get("/forgotten/new", params={"token": wrong}).status_code == 410


def test_the_database_alone_makes_no_link(house: House, post: Post) -> None:
    """Whoever reads a dump finds a seed and a hash; the key between them is a setting."""
    login, _ = post.reader()
    house.visitor().post("/forgotten", {"login": login})
    post.box.stop()
    post.round()
    seed = house.sql("select filled ->> 'seed' as seed from post where state = 'failed'")[0]["seed"]
    assert house.visitor().get(f"/forgotten/new?token={seed}").status_code == 410
    post.box.start()
    house.sql("update post set next_at = now()")
    post.round()
    assert house.sql("select 1 from post where filled ? 'seed'") == [], "and when it is sent the seed goes too"
    assert house.visitor().get(link_of(post.box.taken[0])).status_code == 200


def test_a_stranger_cannot_flood_a_mailbox_or_the_page(house: House, post: Post) -> None:
    """Three letters an hour to one login, five asks in a quarter of an hour from one address; others may still ask."""
    login, address = post.reader()
    for _ in range(2):
        stranger = house.visitor()
        for _ in range(5):
            assert stranger.post("/forgotten", {"login": login}).status_code == 303
        assert stranger.post("/forgotten", {"login": "nobody-at-all"}).status_code == 429
    post.round()
    assert post.of(address) == ["sent"] * 3
    assert house.visitor().post("/forgotten", {"login": login}).status_code == 303


def test_of_two_at_once_one_sets_the_password(house: House, post: Post) -> None:
    """Single use also in a race: a second hand in the same moment finds it used."""
    from concurrent.futures import ThreadPoolExecutor

    login, _ = post.reader()
    house.visitor().post("/forgotten", {"login": login})
    post.round()
    token = link_of(post.box.taken[0]).partition("token=")[2]
    visitors = [house.visitor() for _ in range(4)]
    for visitor in visitors:
        visitor.post("/forgotten/new", {"token": "x"})
    with ThreadPoolExecutor(4) as pool:
        tries = [
            pool.submit(visitor.post, "/forgotten/new", {"token": token, "new": f"{NEW} {n}"})
            for n, visitor in enumerate(visitors)
        ]
    assert sorted(one.result().status_code for one in tries) == [303, 410, 410, 410]


def test_with_mail_off_the_page_says_whom_to_ask(house: House) -> None:
    with mail_on(house, mail_url=""):
        visitor = house.visitor()
        assert "/forgotten" not in visitor.get("/sign-in?lang=en").text
        assert "Mail is off here" in visitor.get("/forgotten?lang=en").text
        before = counts(house)
        assert visitor.post("/forgotten", {"login": "x"}).status_code == 200
        assert counts(house) == before


def test_what_is_written_names_the_login_and_nothing_else(house: House, post: Post) -> None:
    """No name, no role, no address of who asked."""
    login, _ = post.reader()
    visitor = house.visitor()
    visitor.post("/forgotten", {"login": login})
    post.round()
    text = text_of(post.box.taken[0])
    assert f"«{login}»" in text
    assert f"Адам {login}" not in text
    assert visitor.address not in text


def test_a_password_set_by_another_way_ends_the_link_and_is_told(house: House, post: Post) -> None:
    """By its owner on the account page, or by the super-admin for him."""
    login, address = post.reader()
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.visitor().post("/forgotten", {"login": login})
    post.round()
    assert house.worker("super-admin").post(f"/staff/{staff}/password").status_code == 200
    assert house.visitor().get(link_of(post.box.taken[0])).status_code == 410
    post.round()
    assert (post.box.taken[-1]["to"], "өзгертілді" in str(post.box.taken[-1]["subject"])) == (address, True)


def test_a_login_that_looks_like_somebodys_e_mail_takes_his_letter_from_nobody(house: House, post: Post) -> None:
    """A machine may name a login as it likes: the letter goes to whose e-mail that is."""
    _, address = post.reader()
    other, _ = post.reader()
    house.sql("update staff set login = $2 where login = $1", other, address)
    assert house.visitor().post("/forgotten", {"login": address}).status_code == 303
    post.round()
    assert [letter["to"] for letter in post.box.taken] == [address]
