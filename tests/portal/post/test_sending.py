"""A letter goes out once, waits for a server that is away, and is given up with the reason where it is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from aiohttp import web

from infra.settings import PortalSettings
from portal.core import notices
from portal.core import post as letters
from portal.core.accounts import links
from portal.core.post import outbox
from tests.portal.mail import mail_on
from tests.support.mailbox import Mailbox, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.portal.conftest import House
    from tests.portal.mail import Post

FILLED = {"act": {"text": "Send a message"}, "asker": "Гүлнар", "link": "/acts"}


def write(house: House, address: str, *, channel: str = "mail", language: str = "kk") -> int:
    """A letter in the outbox, as an act would leave it."""

    async def go() -> int:
        async with house.front.inner.state.pool.acquire() as db:
            return await letters.put(
                db,
                staff_id=None,
                address=address,
                kind="notice.act.waits",
                language=language,
                filled=dict(FILLED),
                channel=channel,
            )

    return house.loop.run(go())


def row(house: House, number: int) -> dict[str, object]:
    return dict(house.sql("select state, tries, said, next_at > now() as ahead from post where id = $1", number)[0])


def due(house: House, number: int) -> None:
    """The time of the next try has come."""
    house.sql("update post set next_at = now() where id = $1", number)


def test_it_arrives_in_the_receivers_language(house: House, post: Post) -> None:
    number = write(house, "aigul@mail.test", language="ru")
    post.round()
    post.round()
    assert row(house, number) == {"state": "sent", "tries": 1, "said": "", "ahead": False}
    (letter,) = post.box.taken
    assert post.box.envelopes == [["aigul@mail.test"]]
    assert letter["from"] == "El Úmiti <noreply@elumiti.test>"
    assert letter["subject"] == "Действие ждёт Вас как второго человека"
    assert "Запросил: Гүлнар." in text_of(letter)
    assert "http://portal.test/acts" in text_of(letter)


def test_a_server_that_is_away_is_waited_for(house: House, post: Post) -> None:
    """The letter stays, waits longer after each try, and goes out when the server is back: once."""
    post.box.stop()
    number = write(house, "away@mail.test")
    pauses = []
    for _ in range(3):
        due(house, number)
        post.round()
        pauses.append(house.sql("select next_at - now() as pause from post where id = $1", number)[0]["pause"])
        post.round()
    held = row(house, number)
    assert (held["state"], held["tries"], held["ahead"]) == ("failed", 3, True)
    assert held["said"]
    assert pauses[0] < pauses[1] < pauses[2]
    post.box.start()
    due(house, number)
    post.round()
    post.round()
    assert (row(house, number)["state"], len(post.box.taken)) == ("sent", 1)


def test_after_the_last_try_it_is_given_up(house: House, post: Post) -> None:
    post.box.answer = "451 4.3.0 Try later"
    number = write(house, "slow@mail.test")
    for _ in range(len(outbox.PAUSES) + 1):
        assert row(house, number)["state"] != "given_up"
        due(house, number)
        post.round()
    assert row(house, number)["state"] == "given_up"
    assert row(house, number)["said"] == "451 4.3.0 Try later"
    assert sum(outbox.PAUSES, outbox.PAUSES[0] * 0).total_seconds() > 12 * 3600


def test_a_refused_receiver_is_on_the_page_with_the_reason(house: House, post: Post) -> None:
    """At once, without further tries; sent again by a button, on record."""
    post.box.refuses = "550 5.1.1 <b>No</b> such mailbox"
    number = write(house, "nobody@mail.test")
    post.round()
    keeper = house.worker("super-admin")
    shown = keeper.get("/outbox?state=given_up&q=nobody@mail&lang=en").text
    assert "550 5.1.1 &lt;b&gt;No&lt;/b&gt; such mailbox" in shown
    assert f"/outbox/{number}/again" in shown
    assert "Гүлнар" not in shown, "what was written is not shown"
    post.box.refuses = ""
    assert keeper.post(f"/outbox/{number}/again").status_code == 303
    post.round()
    assert (row(house, number)["state"], len(post.box.taken)) == ("sent", 1)
    assert keeper.post(f"/outbox/{number}/again").status_code == 404, "a sent letter is not sent again"
    (record,) = house.sql("select before from audit where act = 'post.letter.again' and object_id = $1", str(number))
    assert record["before"] == {"said": "550 5.1.1 <b>No</b> such mailbox"}


def test_a_worker_that_dies_with_it_in_hand_loses_nothing(house: House, post: Post) -> None:
    """It is nobody else's for ten minutes; then it goes out, and the two are one by their Message-ID."""
    number = write(house, "twice@mail.test")
    post.round()
    # Taken by the server, and the worker died before it could write that down.
    house.sql("update post set state = 'queued', next_at = now() + interval '10 minutes' where id = $1", number)
    post.round()
    assert len(post.box.taken) == 1
    due(house, number)
    post.round()
    first, second = post.box.taken
    assert first["message-id"] == second["message-id"]


def test_workers_at_once_send_it_once(house: House, post: Post) -> None:
    numbers = [write(house, f"many{count}@mail.test") for count in range(25)]
    state = house.front.inner.state

    async def two() -> None:
        from portal.core.post.sender import send_due

        await asyncio.gather(*(send_due(state.pool, state.settings) for _ in range(4)))

    house.loop.run(two())
    assert sorted(to for (to,) in post.box.envelopes) == sorted(f"many{count}@mail.test" for count in range(25))
    assert {row(house, number)["state"] for number in numbers} == {"sent"}


def test_with_mail_off_it_is_said_and_not_tried(house: House) -> None:
    with mail_on(house, mail_url="") as post:
        number = write(house, "off@mail.test")
        post.round()
        assert (row(house, number)["state"], row(house, number)["said"]) == ("given_up", "Mail is off.")
        shown = house.worker("super-admin").get("/outbox?lang=ru").text
        assert "Почтовый сервер не настроен" in shown
        assert "Почта выключена." in shown


@pytest.mark.parametrize(
    ("password", "known", "state"),
    [("летний сад", True, "sent"), ("x", True, "failed"), ("летний сад", False, "failed")],
)
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_over_tls_with_a_login(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str, *, known: bool, state: str
) -> None:
    """A wrong password is ours to mend, so the letter waits; to a server with a strange certificate nothing is said."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    (authority if known else trustme.CA()).cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    box = Mailbox(tls=context, password="летний сад")
    url = f"smtps://portal:{'%20'.join(password.split())}@127.0.0.1:{box.port}"
    with mail_on(house, box, mail_url=url) as post:
        number = write(house, "tls@mail.test")
        post.round()
        assert row(house, number)["state"] == state, row(house, number)
        assert len(box.taken) == (state == "sent")
        assert "сад" not in str(row(house, number)["said"])


class Gateway:
    """An SMS gateway."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str]]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.path_qs, {str(k): str(v) for k, v in (await request.post()).items()}))
        headers = {"location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, text="төлем жоқ", headers=headers)


@pytest.mark.parametrize(
    ("status", "state"), [(200, "sent"), (302, "given_up"), (402, "given_up"), (429, "failed"), (503, "failed")]
)
def test_an_sms_goes_through_the_gateway(house: House, status: int, state: str) -> None:
    """What is secret is in the body and not in the address; redirects are not followed."""
    gateway = Gateway()
    gateway.status = status

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", gateway.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = house.loop.run(start())
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/send?to={{phone}}&text={{text}}&apiKey={{key}}&from=ElUmiti"
        with mail_on(house, sms_url=url, sms_key="kept & quiet") as post:
            number = write(house, "+77001234567", channel="sms")
            post.round()
            assert row(house, number)["state"] == state
            ((path, form),) = gateway.got
            assert path == "/send"
            assert (form["to"], form["apiKey"], form["from"]) == ("+77001234567", "kept & quiet", "ElUmiti")
            assert "Сұраған: Гүлнар." in form["text"]
            if state != "sent":
                assert row(house, number)["said"] == f"{status} төлем жоқ"
    finally:
        house.loop.run(runner.cleanup())


def test_the_page_is_for_those_of_the_whole_country(house: House, place: object) -> None:
    """Letters go to staff of all regions."""
    assert house.worker("test-administrator").get("/outbox").status_code == 403
    assert house.worker("super-admin", region=place.region).get("/outbox").status_code == 404  # type: ignore[attr-defined]


def test_settings_have_mail_off_unless_said(house: House) -> None:
    """Nobody is written to by an installation that was not asked to."""
    assert isinstance(house.settings, PortalSettings)
    assert (house.settings.mail_url, house.settings.sms_url) == ("", "")


def test_what_is_old_is_erased(house: House, post: Post) -> None:
    """Letters and read notices after a quarter of a year, links and asks after days; what still waits stays."""
    login, _ = post.reader()
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    house.visitor().post("/forgotten", {"login": login})
    post.round()
    sent, waits = write(house, "old@mail.test"), write(house, "waits@mail.test")
    house.sql("update post set state = 'sent' where id = $1", sent)
    house.sql("update post set made_at = now() - interval '91 days' where id = any($1)", [sent, waits])
    tell = "insert into notice (staff_id, kind, about, link, read_at, made_at) values ($1, 'job.done', $2, '/', $3, $4)"
    now = dt.datetime.now(dt.UTC)
    for about, read, made in (("read", 91, 100), ("unread", None, 100), ("ancient", None, 366), ("new", 1, 1)):
        ago = None if read is None else now - dt.timedelta(days=read)
        house.sql(tell, staff, about, ago, now - dt.timedelta(days=made))
    house.sql("update staff_link set ends_at = now() - interval '8 days' where staff_id = $1", staff)
    house.sql("update reset_ask set at = now() - interval '2 days'")

    async def erase() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            await outbox.erase_old(db)
            await notices.erase_old(db)
            await links.erase_old(db, now)

    house.loop.run(erase())
    assert [one["id"] for one in house.sql("select id from post where id = any($1) order by id", [sent, waits])] == [
        waits
    ]
    left = house.sql("select about from notice where staff_id = $1 order by about", staff)
    assert [one["about"] for one in left] == ["new", "unread"]
    assert house.sql("select 1 from staff_link where staff_id = $1", staff) == []
    assert house.sql("select 1 from reset_ask") == []
