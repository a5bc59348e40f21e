"""Webhooks reach a real receiver signed, carry nothing of a person, and reach nobody inside of our network."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from portal.core import outbound
from portal.core.machines import hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Visitor


class Receiver:
    """Another system's server: keeps what comes and answers as it is told."""

    def __init__(self, house: House) -> None:
        self.house, self.came, self.status, self.location = house, list[tuple[dict[str, str], bytes]](), 204, ""
        self.pause_s = 0.0

    async def take(self, request: web.Request) -> web.Response:
        """Whatever is posted."""
        self.came.append((dict(request.headers), await request.read()))
        await asyncio.sleep(self.pause_s)
        headers = {"location": self.location} if self.location else {}
        return web.Response(status=self.status, headers=headers)

    async def start(self) -> str:
        """Its address."""
        app = web.Application()
        app.router.add_post("/{rest:.*}", self.take)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = self.runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/in"

    def events(self) -> list[dict[str, Any]]:
        """The bodies, but for trial events."""
        return [body for _, raw in self.came if (body := json.loads(raw))["type"] != hooks.PING]


@pytest.fixture
def receiver(house: House) -> Iterator[Receiver]:
    """A real HTTP server of this test."""
    made = Receiver(house)
    made.url = house.loop.run(made.start())  # type: ignore[attr-defined]
    yield made
    house.loop.run(made.runner.cleanup())


@pytest.fixture
def admin(house: House) -> Visitor:
    """Who joins systems."""
    return house.worker("system-admin")


def make_hook(house: House, url: str, project: str = "qabilet") -> tuple[int, str]:
    """A hook for everything, as its page would make it in a demo."""
    secret = hooks.draw_secret()
    maker = house.sql("select id from staff where login = $1", house.person("system-admin"))[0]["id"]
    made = house.sql(
        "insert into webhook (name, project, url, kinds, secret, made_by) values ($1, $2, $3, $4, $5, $6) returning id",
        *("Platonus", project, url, list(hooks.KINDS), hooks.seal(house.settings, secret), maker),
    )
    return made[0]["id"], secret


def deliver(house: House, *, loopback: bool = True) -> None:
    """What is due, as the worker of the demo (which may reach this machine) or a real one does it.

    Hooks of other tests have events too, and a round takes so many of all.
    """
    settings = msgspec.structs.replace(house.settings, demo=loopback)
    while house.loop.run(hooks.deliver_due(house.front.inner.state.pool, settings)):
        pass


def states(house: House, hook: int) -> list[tuple[str, str]]:
    """(state, what came back) of a hook's events."""
    return [
        (row["state"], row["said"])
        for row in house.sql("select state, said from webhook_delivery where webhook_id = $1 order by id", hook)
    ]


def test_a_changed_login_is_told_signed_and_without_a_word_about_its_person(house: House, receiver: Receiver) -> None:
    """Others' library accepts the signature; the body holds kind, id, project; a replay after five minutes is refused."""
    hook, secret = make_hook(house, receiver.url)
    login = house.person("qabilet-test-taker", project="qabilet")
    public = str(
        house.sql("update staff set full_name = 'Тілеуберді Аружан' where login = $1 returning public_id", login)[0][0]
    )
    house.sql("update staff set disabled_at = now() where login = $1", login)
    deliver(house)
    told = [(event["type"], event["data"]) for event in receiver.events() if event["data"]["id"] == public]
    data = {"id": public, "project": "qabilet"}
    assert told == [("user.roles", data), ("user.changed", data), ("user.closed", data)]
    checker = Webhook(secret)
    for headers, body in receiver.came:
        checker.verify(body, {name.lower(): value for name, value in headers.items()})
        assert "Аружан" not in body.decode()
        assert login not in body.decode()
    headers, body = receiver.came[0]
    known = {name.lower(): value for name, value in headers.items()}
    old = {**known, "webhook-timestamp": str(int(known["webhook-timestamp"]) - 301)}
    old["webhook-signature"] = hooks.sign(secret, old["webhook-id"], int(old["webhook-timestamp"]), body)
    with pytest.raises(WebhookVerificationError):
        checker.verify(body, old)
    with pytest.raises(WebhookVerificationError):
        checker.verify(body.replace(b"qabilet", b"myn-bala"), known)
    assert {state for state, _ in states(house, hook)} == {"sent"}


def test_privileged_logins_and_other_projects_are_not_told(house: House, receiver: Receiver) -> None:
    """SAFETY P4: nothing of those whom a machine may not see."""
    make_hook(house, receiver.url)
    ids = set()
    for role, project in (("test-administrator", "qabilet"), ("birge-pupil", "birge-oqy"), ("super-admin", "qabilet")):
        login = house.person(role, project=project)
        ids.add(
            str(house.sql("update staff set full_name = 'Басқа' where login = $1 returning public_id", login)[0][0])
        )
    deliver(house)
    assert not [event for event in receiver.events() if event["data"]["id"] in ids]


def test_a_receiver_that_is_down_gets_it_later_and_a_day_later_its_owner_is_told(
    house: House, receiver: Receiver
) -> None:
    """503 is tried again with the same id and a new time; after the last try it is given up, with a notice."""
    hook, _ = make_hook(house, receiver.url)
    receiver.status = 503
    house.sql("select tell_hooks(array['qabilet'], 'sitting.published', '41')")
    deliver(house)
    assert states(house, hook) == [("failed", "503")]
    receiver.status = 200
    house.sql("update webhook_delivery set next_at = now() where webhook_id = $1", hook)
    deliver(house)
    assert states(house, hook) == [("sent", "200")]
    ids = {headers["webhook-id"] for headers, _ in receiver.came}
    assert len(receiver.came) == 2
    assert len(ids) == 1
    receiver.status = 500
    house.sql("select tell_hooks(array['qabilet'], 'sitting.published', '42')")
    house.sql("update webhook_delivery set tries = 8 where webhook_id = $1 and state = 'queued'", hook)
    deliver(house)
    assert states(house, hook)[-1] == ("given_up", "500")
    maker = house.sql("select made_by from webhook where id = $1", hook)[0][0]
    assert house.sql("select count(*) from notice where staff_id = $1 and kind = 'hook.given-up'", maker)[0][0] == 1


def test_a_receiver_that_lets_us_wait_holds_up_no_other(house: House, receiver: Receiver) -> None:
    """A crowd of its events is older than the one event of another hook: the same round brings that one."""
    other = Receiver(house)
    url = house.loop.run(other.start())
    receiver.pause_s = 60
    slow, _ = make_hook(house, receiver.url)  # type: ignore[attr-defined]
    good, _ = make_hook(house, url)
    house.sql(
        """
        insert into webhook_delivery (webhook_id, event_id, kind, object_id, next_at)
        select h, gen_random_uuid(), 'user.changed', '-', now() - interval '1 hour' * (2 - place)
        from unnest($1::int[]) with ordinality as x (h, place)
        cross join generate_series(1, 40) n
        where place = 1 or n = 1
        """,
        [slow, good],
    )
    began = time.monotonic()
    house.loop.run(hooks.deliver_due(house.front.inner.state.pool, msgspec.structs.replace(house.settings, demo=True)))
    assert len(other.events()) == 1
    assert time.monotonic() - began < 2 * outbound.LIMIT_S
    assert len(receiver.came) <= hooks.OF_ONE
    house.sql("delete from webhook_delivery where webhook_id = $1", slow)
    house.loop.run(other.runner.cleanup())


def test_a_redirect_is_not_followed(house: House, receiver: Receiver) -> None:
    """It could lead into our own network."""
    hook, _ = make_hook(house, receiver.url)
    receiver.status, receiver.location = 307, receiver.url
    house.sql("select tell_hooks(array['qabilet'], 'sitting.published', '43')")
    deliver(house)
    assert len(receiver.came) == 1
    assert states(house, hook) == [("failed", "307")]


def test_outside_of_a_demo_no_address_of_our_own_network_is_asked(house: House, receiver: Receiver) -> None:
    """Also where it lies in the table already: the worker asks anew before each try."""
    hook, _ = make_hook(house, receiver.url)
    house.sql("select tell_hooks(array['qabilet'], 'sitting.published', '44')")
    deliver(house, loopback=False)
    assert receiver.came == []
    assert states(house, hook)[0][0] == "given_up"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.kz/in",
        "https://127.0.0.1/in",
        "https://10.0.0.8/in",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/in",
        "https://user:word@example.kz/in",
        "ftp://example.kz/",
        "https://2130706433/",
        "javascript:alert(1)",
    ],
)
def test_the_form_refuses_addresses_that_lead_inside(house: House, admin: Visitor, url: str) -> None:
    """Nothing is made."""
    state = house.front.inner.state
    before, count = state.settings, house.sql("select count(*) from webhook")[0][0]
    # A demo may ask itself; what is refused here is refused in real life.
    state.settings = msgspec.structs.replace(before, demo=False)
    try:
        form = {"name": "Ішкі", "url": url, "project": "qabilet", "kinds": "user.changed"}
        assert admin.post("/hooks/new", form).status_code == 422
    finally:
        state.settings = before
    assert house.sql("select count(*) from webhook")[0][0] == count


def test_a_name_that_leads_inside_is_refused_where_it_is_resolved(house: House) -> None:
    """The address that was checked is the one that is connected to."""

    async def run() -> None:
        with pytest.raises((outbound.OutboundRefused, outbound.OutboundFailed)):
            await outbound.ask("POST", "https://localhost:1/in", loopback=False)

    house.loop.run(run())


def test_a_hook_is_made_tried_switched_off_and_each_act_is_on_record(house: House, admin: Visitor) -> None:
    """The secret is shown once; whatever waits while it is off goes out later."""
    name = f"Kundelik {secrets.token_hex(3)}"
    page = admin.post(
        "/hooks/new",
        {"name": name, "url": "https://kundelik.example.kz/in", "project": "qabilet", "kinds": "user.changed"},
    )
    assert "whsec_" in page.text
    hook = house.sql("select id from webhook where name = $1", name)[0]["id"]
    assert "whsec_" not in admin.get(f"/hooks/{hook}").text
    assert admin.post(f"/hooks/{hook}/ping").status_code == 303
    assert states(house, hook) == [("queued", "")]
    assert admin.post(f"/hooks/{hook}/switch").status_code == 303
    deliver(house)
    assert states(house, hook) == [("queued", "")]
    acts = house.sql("select act from audit where object_kind = 'hook' and object_id = $1 order by id", str(hook))
    assert [row["act"] for row in acts] == ["machine.hook.made", "machine.hook.changed"]


def test_a_worker_that_dies_with_an_event_in_hand_loses_none(house: House, receiver: Receiver) -> None:
    """Taken and not settled: due again after its time in hand."""
    hook, _ = make_hook(house, receiver.url)
    house.sql("select tell_hooks(array['qabilet'], 'sitting.published', '45')")

    async def die() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            assert await hooks._take(db)

    house.loop.run(die())
    deliver(house)
    assert receiver.came == []
    house.sql("update webhook_delivery set next_at = now() where webhook_id = $1", hook)
    deliver(house)
    assert len(receiver.came) == 1


def test_a_system_is_joined_by_its_page_and_its_token_shown_once(house: House, admin: Visitor) -> None:
    """The token works; a new one makes the old one useless; without a reason nothing is stopped."""
    name = f"Platonus {secrets.token_hex(3)}"
    page = admin.post("/machines/new", {"name": name, "project": "birge-oqy", "roles": ["birge-pupil"]})
    assert page.status_code == 200, page.text[-500:]
    token = page.text.split("elumiti_", 1)[1].split("<", 1)[0]
    client = house.sql("select id from machine_client where name = $1", name)[0]["id"]

    def status(word: str) -> int:
        return house.visitor().get("/scim/v2/Users", headers={"authorization": f"Bearer elumiti_{word}"}).status_code

    assert status(token) == 200
    assert "elumiti_" + token not in admin.get(f"/machines/{client}").text
    assert (
        admin.post("/machines/new", {"name": name, "project": "qabilet", "roles": ["birge-pupil"]}).status_code == 422
    )
    assert admin.post(f"/machines/{client}/stop", {"reason": ""}).status_code == 422
    assert admin.post(f"/machines/{client}/stop", {"reason": "Келісімшарт аяқталды"}).status_code == 303
    assert status(token) == 403
    assert admin.post(f"/machines/{client}/free", {"reason": "Жаңа келісімшарт"}).status_code == 303
    again = admin.post(f"/machines/{client}/token").text.split("elumiti_", 1)[1].split("<", 1)[0]
    assert (status(token), status(again)) == (401, 200)


def test_a_role_that_ended_by_itself_is_told_by_the_worker_once_a_day(house: House, receiver: Receiver) -> None:
    """No statement ends it, so no trigger tells."""
    make_hook(house, receiver.url)
    login = house.person("qabilet-test-taker", project="qabilet")
    public = str(house.sql("select public_id from staff where login = $1", login)[0][0])
    house.sql("alter table staff_grant disable trigger grant_told")
    house.sql(
        "update staff_grant set ends_at = now() - interval '1 hour' where staff_id = (select id from staff where login = $1)",
        login,
    )
    house.sql("alter table staff_grant enable trigger grant_told")
    house.sql("delete from webhook_delivery")

    async def day() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            await hooks.tell_of_ended_roles(db)

    house.loop.run(day())
    deliver(house)
    assert [event["type"] for event in receiver.events() if event["data"]["id"] == public] == ["user.roles"]
