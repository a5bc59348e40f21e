"""What concerns a person reaches him: in the bell of every page, in the list, and by mail as he wishes."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from portal.core.accounts.ending import tell_of_ending
from tests.portal.conftest import PASSWORD
from tests.support.mailbox import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.mail import Post

ADMIN = "test-administrator"
MESSAGE = {"kind": "message", "scope": "sitting", "text_kk": "Асықпаңдар.", "reason": "Ақау"}
BELL = re.compile(r"Notices, unread: (\d+)")


def unread(visitor: Visitor) -> int:
    """What the bell says."""
    found = BELL.search(visitor.get("/notices/bell?lang=en").text)
    assert found
    return int(found[1])


def ask(house: House, visitor: Visitor, scene: Scene) -> int:
    """An act that waits; its number."""
    assert visitor.post(f"/sittings/{scene.id}/controls", {**MESSAGE, "id": str(scene.id)}).status_code == 202
    return house.sql("select max(id) as id from pending_act where sitting_id = $1", scene.id)[0]["id"]


def kinds_of(house: House, login: str) -> list[str]:
    rows = house.sql(
        "select kind from notice n join staff s on s.id = n.staff_id where s.login = $1 order by n.id", login
    )
    return [row["kind"] for row in rows]


def test_who_may_be_the_second_person_is_told(house: House, post: Post, make_sitting: Callable[..., Scene]) -> None:
    """In his territory and with the right, nobody else; when it is decided the bell is silent again."""
    scene = make_sitting()
    asker, second, third = (house.worker(ADMIN, region=scene.place.region) for _ in range(3))
    elsewhere = house.sql("select 'Y' || $1::int as code", scene.id)[0]["code"]
    house.sql("insert into region values ($1, 'Басқа', 'Другая', 'Other')", elsewhere)
    others = [house.worker("proctor", region=scene.place.region), house.worker(ADMIN, region=elsewhere), asker]
    act = ask(house, asker, scene)
    assert [unread(one) for one in (second, third)] == [1, 1]
    assert [unread(one) for one in others] == [0, 0, 0]
    shown = second.get("/notices?lang=en").text
    assert "waits for a second person" in shown
    (number,) = re.findall(r"/notices/(\d+)/open", shown)
    assert others[0].post(f"/notices/{number}/open").status_code == 404, "another's notice is not there"
    assert second.post(f"/notices/{number}/open").headers["location"] == "/acts"
    assert unread(second) == 0
    assert third.post(f"/acts/{act}/decide", {"do": "refuse"}).status_code == 303
    assert unread(third) == 0


def test_by_mail_too_as_he_wishes(house: House, post: Post, make_sitting: Callable[..., Scene]) -> None:
    """Off for acts unless he says so; a letter that nobody needs any more is not sent."""
    scene = make_sitting()
    login, address = post.reader(ADMIN, region=scene.place.region)
    asker, reader = house.worker(ADMIN, region=scene.place.region), house.visitor(login)
    ask(house, asker, scene)
    assert post.of(address) == []
    assert reader.post("/notices/wishes", {"mail": ["act.waits", "grant.ends"]}).status_code == 303
    act = ask(house, asker, scene)
    assert post.of(address) == ["queued"]
    post.round()
    (letter,) = post.box.taken
    assert letter["to"] == address
    assert "http://portal.test/acts" in text_of(letter)
    assert MESSAGE["text_kk"] not in text_of(letter), "what the act changes is read in the portal"
    assert asker.post(f"/acts/{act}/withdraw").status_code == 303
    act = ask(house, asker, scene)
    assert asker.post(f"/acts/{act}/withdraw").status_code == 303
    post.round()
    assert len(post.box.taken) == 1


@pytest.mark.parametrize(("state", "kind"), [("done", "job.done"), ("failed", "job.failed")])
def test_a_job_that_ended_is_told_once(house: House, post: Post, state: str, kind: str) -> None:
    """Whichever process did it: scoring has no right to tell. Who watched it end is not told of it."""
    login = house.person(ADMIN)
    worker = house.visitor(login)
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    end = "insert into job (kind, made_by, state, sitting_id) values ('score', $1, $2, 77) returning id"
    watched = house.sql(end, staff, state)[0]["id"]
    assert worker.get(f"/jobs/{watched}").status_code == 200
    house.sql(end, staff, state)
    house.sql(end, staff, "running")
    post.round()
    post.round()
    assert kinds_of(house, login) == [kind]
    number = house.sql("select id from notice where staff_id = $1", staff)[0]["id"]
    assert worker.post(f"/notices/{number}/open").headers["location"] == "/sittings/77/scores"


def test_a_grant_that_ends_in_two_weeks_is_told_once(house: House, post: Post) -> None:
    """And again when it was renewed and the new end comes near."""
    login, address = post.reader()
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    far, near = dt.timedelta(days=15), dt.timedelta(days=13)
    now = dt.datetime.now(dt.UTC)

    def tell(ends: dt.timedelta) -> None:
        house.sql("update staff_grant set ends_at = $2 where staff_id = $1", staff, now + ends)

        async def go() -> None:
            async with house.front.inner.state.pool.acquire() as db:
                await tell_of_ending(db, now)
                await tell_of_ending(db, now)

        house.loop.run(go())

    tell(far)
    assert kinds_of(house, login) == []
    tell(near)
    assert kinds_of(house, login) == ["grant.ends"]
    tell(near - dt.timedelta(days=2))
    assert kinds_of(house, login) == ["grant.ends"] * 2
    assert post.of(address) == ["queued"] * 2, "this kind comes by mail unless he says no"
    assert "рөліңіздің мерзімі" in house.visitor(login).get("/notices").text


def test_a_sign_in_from_a_new_address_is_told(house: House, post: Post) -> None:
    """The first of all tells nothing new; the same place again neither; a new one does, by mail too."""
    login, address = post.reader()
    desk = house.visitor(login)
    house.visitor(login).address = desk.address
    assert kinds_of(house, login) == ["sign-in.new"], "the second address"
    again = house.visitor()
    again.address = desk.address
    assert again.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 303
    assert kinds_of(house, login) == ["sign-in.new"]
    stranger = house.visitor()
    assert stranger.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 303
    assert kinds_of(house, login) == ["sign-in.new"] * 2
    assert stranger.address in desk.get("/notices").text
    post.round()
    assert [stranger.address in text_of(letter) for letter in post.box.taken] == [False, True]
    assert post.of(address) == ["sent"] * 2


def test_all_are_read_by_one_button(house: House, make_sitting: Callable[..., Scene]) -> None:
    scene = make_sitting()
    asker, second = (house.worker(ADMIN, region=scene.place.region) for _ in range(2))
    for _ in range(3):
        ask(house, asker, scene)
    assert unread(second) == 3
    assert second.get("/notices?which=unread").text.count("/open") == 3
    assert second.post("/notices/read").status_code == 303
    assert unread(second) == 0
    assert second.get("/notices?which=unread").text.count("/open") == 0
    assert second.get("/notices").text.count("/open") == 3


def test_the_bell_keeps_nobody_signed_in(house: House) -> None:
    """Every open page asks each minute; a desk that its person left must rest all the same."""
    login = house.person("proctor")
    desk = house.visitor(login)
    seen = "select s.seen_at from staff_session s join staff on staff.id = s.staff_id where login = $1"
    house.sql(
        "update staff_session set seen_at = now() - interval '90 minutes' where staff_id = (select id from staff where login = $1)",
        login,
    )
    before = house.sql(seen, login)
    assert desk.get("/notices/bell").status_code == 200
    assert house.sql(seen, login) == before
    assert desk.get("/account").status_code == 200
    assert house.sql(seen, login) > before


def test_of_a_crowd_the_first_hundred_are_told(house: House, place: object, make_sitting: Callable[..., Scene]) -> None:
    """An act over many people's heads must not become a flood."""
    scene = make_sitting()
    asker = house.worker(ADMIN, region=scene.place.region)
    house.sql(
        """
        with made as (
            insert into staff (login, full_name, password_hash)
            select 'crowd' || $1::int || '-' || n, 'Топ', '$argon2id$' from generate_series(1, 120) n returning id)
        insert into staff_grant (staff_id, role, region_code, ends_at)
        select id, 'test-administrator', $2, now() + interval '1 day' from made
        """,
        *(scene.id, scene.place.region),
    )
    act = ask(house, asker, scene)
    told = house.sql("select count(*) as n from notice where kind = 'act.waits' and about = $1", str(act))[0]["n"]
    assert told == 100
    crowd = "(select id from staff where login like 'crowd' || $1::int || '-%')"
    for statement in ("notice where staff_id in", "staff_grant where staff_id in", "staff where id in"):
        house.sql(f"delete from {statement} {crowd}", scene.id)
