"""A picture goes through and moves; sound never does; each way that a view ends."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import numpy as np

from infra.live_tickets import LiveClaims, verify
from infra.local import decode_key
from tests.proctoring.live.conftest import MOST_S, MOST_VIEWS, Scene
from tests.support.camera_consent import withdraw_camera
from tests.support.live import ticket_for
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.live import Publisher, Viewer
    from tests.support.loop import Loop


async def both(scene: Scene) -> tuple[Publisher, Viewer]:
    """A view under way: the viewer came first, as his page does."""
    viewer, phone = scene.viewer(), scene.phone()
    assert (await viewer.begin()).status_code == 200
    assert (await phone.begin()).status_code == 200

    async def seen() -> None:
        assert len(viewer.frames) >= 3

    await eventually(seen)
    return phone, viewer


async def ends(scene: Scene, why: str, limit_s: float = 15) -> None:
    """The row says so."""

    async def said() -> None:
        assert await scene.why() == why

    await eventually(said, limit_s)


async def test_the_picture_goes_through_and_moves(scene: Scene) -> None:
    """Whole frames of the phone's size that differ, and the row knows when it began."""
    _, viewer = await both(scene)
    first, last = viewer.frames[0], viewer.frames[-1]
    assert first.shape == (240, 320)
    assert np.abs(first.astype(int) - last.astype(int)).max() > 60
    row = await scene.row()
    assert row["began_at"] is not None
    assert (row["ends_at"] - row["began_at"]).total_seconds() == MOST_S
    state = await viewer.state()
    assert state["state"] == "live"
    assert 0 < state["left_s"] <= MOST_S
    text = (await viewer.client.get(f"{scene.base}/metrics")).text
    assert "elumiti_live_views 1.0" in text


async def test_it_ends_by_the_servers_clock(scene: Scene) -> None:
    """Whatever the two sides do; and no packet comes afterwards."""
    began = time.monotonic()
    phone, viewer = await both(scene)
    await ends(scene, "limit", MOST_S + 6)
    assert time.monotonic() - began >= MOST_S - 1
    assert (await viewer.state())["state"] == "ended"
    seen = len(viewer.frames)
    await asyncio.sleep(1)
    assert len(viewer.frames) <= seen + 1
    assert phone.pc.connectionState == "closed"
    again = scene.phone(ticket=scene.ticket("publish"))
    assert (await again.begin()).json()["code"] == "live-over"


async def test_sound_is_refused_and_the_answer_has_none(scene: Scene) -> None:
    """From either side; a refused offer does not use the ticket up."""
    refused = await scene.phone(sound=True).begin()
    assert (refused.status_code, refused.json()["code"]) == (400, "sound-refused")
    viewer = scene.viewer()
    viewer.pc.addTransceiver("audio", direction="recvonly")
    assert (await viewer.begin()).json()["code"] == "sound-refused"
    phone = scene.phone()
    answer = await phone.begin()
    assert answer.status_code == 200
    assert "m=audio" not in answer.json()["sdp"]
    assert "b=AS:150" in answer.json()["sdp"]


async def test_an_offer_of_firefox_is_answered_with_our_addresses(scene: Scene) -> None:
    """It names addresses of its own network alone and says that there are no more: it is found by its first packet."""
    phone = scene.phone()
    await phone.pc.setLocalDescription(await phone.pc.createOffer())
    hidden = re.sub(r"(a=candidate:\S+ \d \S+ \d+) \S+", r"\1 5abfcd7c-18be-435e.local", phone.pc.localDescription.sdp)
    assert ".local" in hidden
    assert "a=end-of-candidates" in hidden
    answer = await phone.post("offer", sdp=hidden)
    assert answer.status_code == 200
    assert "a=candidate:" in answer.json()["sdp"]


async def test_an_offer_that_is_none_is_refused(scene: Scene) -> None:
    """Nothing of it reaches the views."""
    phone = scene.phone()
    for sdp in ("", "v=0", "x" * 20_000, "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"):
        answer = await phone.post("offer", sdp=sdp)
        assert (answer.status_code, answer.json()["code"]) == (400, "offer-invalid"), sdp[:20]
    data = scene.phone()
    data.pc.createDataChannel("x")
    assert (await data.begin()).json()["code"] == "offer-invalid"
    assert (await phone.client.post(f"{scene.base}/v1/live/offer", content=b"{")).json()["code"] == "body-invalid"
    big = await phone.client.post(f"{scene.base}/v1/live/offer", content=b" " * 100_000)
    assert big.status_code == 413


async def test_a_ticket_is_for_one_role_one_view_and_once(scene: Scene) -> None:
    """Forged, late, used, of another view, of the other role: refused each in its own words."""
    for bad in ("", "x", "A" * 51, ticket_for(scene.stack, "watch", 1, 1)[:-2] + "AA"):
        answer = await scene.viewer(ticket=bad or "-").begin()
        assert (answer.status_code, answer.json()["code"]) == (401, "ticket-rejected")
    late = await scene.viewer(ticket=scene.ticket("watch", -1)).begin()
    assert (late.status_code, late.json()["code"]) == (403, "ticket-expired")
    stranger = ticket_for(scene.stack, "watch", scene.view, scene.attempt + 1)
    assert (await scene.viewer(ticket=stranger).begin()).status_code == 410
    nothing = ticket_for(scene.stack, "watch", scene.view + 1000, scene.attempt)
    assert (await scene.viewer(ticket=nothing).begin()).status_code == 410
    viewer = scene.viewer()
    assert (await viewer.begin()).status_code == 200
    used = await scene.viewer(ticket=viewer.ticket).begin()
    assert (used.status_code, used.json()["code"]) == (409, "ticket-used")
    # A viewer's ticket sends nothing: its offer to send is no offer to watch.
    claims = verify(decode_key(scene.stack.secrets.live_key), viewer.ticket)
    assert claims is not None
    assert isinstance(claims, LiveClaims)
    assert claims.role == "watch"


async def test_a_phone_cannot_watch_with_its_ticket(scene: Scene) -> None:
    """The role is the ticket's, not the offer's."""
    assert (await scene.viewer(ticket=scene.ticket("publish")).begin()).json()["code"] == "offer-invalid"
    assert (await scene.phone(ticket=scene.ticket("watch")).begin()).json()["code"] == "offer-invalid"


async def test_a_consent_withdrawn_ends_it_within_seconds(scene: Scene) -> None:
    """And nothing begins anew."""
    await both(scene)
    person = await scene.db.fetchval("select person_id from participant where id = $1", scene.attempt)
    began = time.monotonic()
    await withdraw_camera(scene.db, person)
    await ends(scene, "consent", 4)
    assert time.monotonic() - began < 3
    other = await scene.db.fetchval(
        """
        insert into watch_live (attempt_id, sitting_id, staff_id, forwarder, waits_until)
        select attempt_id, sitting_id, staff_id, forwarder, now() + interval '1 minute' from watch_live where id = $1
        returning id
        """,
        scene.view,
    )
    refused = await scene.phone(ticket=ticket_for(scene.stack, "publish", other, scene.attempt)).begin()
    assert (refused.status_code, refused.json()["code"]) == (403, "camera-consent-needed")
    await scene.db.execute(
        "update watch_live set ended_at = now(), why = 'lost' where id = $1 and ended_at is null", other
    )


async def test_each_side_ends_it(scene: Scene) -> None:
    """The phone by a word; what it says of itself stands in the row."""
    phone, viewer = await both(scene)
    assert (await phone.post("end", why="thin-line")).status_code == 200
    await ends(scene, "thin-line", 3)

    async def over() -> None:
        assert viewer.pc.connectionState == "closed"

    await eventually(over, 5)


async def test_a_phone_whose_page_is_gone_ends_it(scene: Scene) -> None:
    phone, _ = await both(scene)
    await phone.pc.close()
    await ends(scene, "phone-left", 5)


async def test_a_proctor_whose_page_is_gone_ends_it(scene: Scene) -> None:
    """So that nobody is filmed for nobody."""
    phone, viewer = await both(scene)
    await viewer.pc.close()
    await ends(scene, "viewer-left", 5)

    async def over() -> None:
        assert phone.pc.connectionState == "closed"

    await eventually(over, 5)


async def test_the_proctor_ends_it_in_the_portal(scene: Scene) -> None:
    """The portal writes the row; the packets stop within the next reading."""
    _, viewer = await both(scene)
    await scene.db.execute("update watch_live set ended_at = now(), why = 'proctor' where id = $1", scene.view)

    async def over() -> None:
        assert viewer.pc.connectionState == "closed"

    await eventually(over, 5)


async def test_a_hand_in_ends_it(scene: Scene) -> None:
    await both(scene)
    await scene.db.execute(
        """
        insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), now())
        on conflict (id) do update set finished_at = now()
        """,
        *(scene.attempt, scene.sitting),
    )
    await ends(scene, "finished", 4)


async def test_a_phone_that_never_answers_is_not_waited_for(scene: Scene) -> None:
    """The row says until when."""
    viewer = scene.viewer()
    assert (await viewer.begin()).status_code == 200
    await scene.db.execute("update watch_live set waits_until = now() where id = $1", scene.view)
    await ends(scene, "no-answer", 4)


async def test_beyond_the_bound_there_is_503(scene: Scene, owner_url: str) -> None:
    """And those that are there go on."""
    scenes = [scene]
    for _ in range(MOST_VIEWS):
        one = Scene(scene.stack, scene.db, scene.base)
        await one.child(owner_url)
        scenes.append(one)
    answers = [await one.viewer().begin() for one in scenes]
    assert [answer.status_code for answer in answers] == [200] * MOST_VIEWS + [503]
    assert int(answers[-1].headers["retry-after"]) > 0
    for one in scenes:
        for side in one.sides:
            await side.post("end")
            await side.close()
        await one.db.execute(
            "update watch_live set ended_at = now(), why = 'lost' where id = $1 and ended_at is null", one.view
        )


async def test_others_pages_cannot_read_the_answers(scene: Scene) -> None:
    """CORS: the player's and the portal's origins alone."""
    url = f"{scene.base}/v1/live/state"
    ours = f"http://localhost:{scene.stack.home.ports.portal}"
    client = scene.viewer().client
    for origin, told in ((ours, ours), ("https://evil.example", None)):
        answer = await client.options(url, headers={"origin": origin, "access-control-request-method": "POST"})
        assert answer.headers.get("access-control-allow-origin") == told


async def test_a_killed_process_leaves_no_view_open(scene: Scene, stack: Stack, loop: Loop) -> None:
    """Killed by -9: the next one ends what the row still says is under way."""
    await both(scene)
    part = stack.parts["live"]
    await asyncio.to_thread(loop.run, part.kill())
    assert await scene.why() is None
    await asyncio.to_thread(loop.run, part.up())
    assert await scene.why() == "lost"
