"""What an offer and an old ticket may be used for: knocking at doors of our network, passwords of TURN, a look that goes on."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from proctoring.live.offers import OfferError, narrowed
from tests.proctoring.live.test_forwarding import both, ends
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.proctoring.live.conftest import Scene


async def test_the_forwarder_knocks_at_no_address_of_an_offer(scene: Scene) -> None:
    """Neither at its own network's nor at a third party's; the phone's own packets find it all the same."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        door.bind(("0.0.0.0", 0))
        port = door.getsockname()[1]
        phone = scene.phone()
        addresses = {line.split()[4] for line in (await phone.offer()).splitlines() if line.startswith("a=candidate:")}
        lines = [
            f"a=candidate:{number} 1 udp 2130706431 {address} {port} typ host"
            for number, address in enumerate(["127.0.0.1", *sorted(addresses)], 1)
        ]
        sdp = phone.pc.localDescription.sdp
        offer = sdp.replace("a=end-of-candidates", "\r\n".join([*lines, "a=end-of-candidates"]))
        assert offer.count("a=candidate:") > len(addresses)
        assert (await phone.post("offer", sdp=offer)).status_code == 200
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.sock_recv(door, 2048), 3)


async def test_an_old_ticket_has_no_passwords_of_turn(scene: Scene) -> None:
    """For ever after anybody with one ticket would have a relay."""
    for role in ("publish", "watch"):
        late = scene.viewer(ticket=scene.ticket(role, -1))
        answer = await late.post("ice")
        assert (answer.status_code, answer.json()["code"]) == (403, "ticket-expired")
        assert (await scene.viewer(ticket=scene.ticket(role)).post("ice")).status_code == 200


async def test_a_look_ends_when_the_child_leaves_the_proctor_s_hands(scene: Scene) -> None:
    """Handed over or taken by the next: who has the child no more looks no more, and begins nothing."""
    _, viewer = await both(scene)
    await scene.db.execute("delete from watch_hand where attempt_id = $1", scene.attempt)
    await ends(scene, "viewer-left", 4)

    async def over() -> None:
        assert viewer.pc.connectionState == "closed"

    await eventually(over, 5)


async def test_who_has_lost_the_child_begins_no_look(scene: Scene) -> None:
    """The ticket of a minute ago notwithstanding."""
    await scene.db.execute("delete from watch_hand where attempt_id = $1", scene.attempt)
    assert (await scene.viewer().begin()).json()["code"] == "live-over"
    assert (await scene.phone().begin()).json()["code"] == "live-over"


VIDEO = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"


@pytest.mark.parametrize(
    ("beside", "code"),
    [
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "sound-refused"),
        ("a=x\u2028m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "sound-refused"),
        ("a=x\x0bm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "sound-refused"),
        ("a=x\rm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "sound-refused"),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "offer-invalid"),
        ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", "offer-invalid"),
        ("m=text 9 UDP/TLS/RTP/SAVPF 98\r\n", "offer-invalid"),
    ],
)
def test_nothing_is_smuggled_beside_the_picture(beside: str, code: str) -> None:
    """Whatever ends a line."""
    with pytest.raises(OfferError) as refused:
        narrowed(VIDEO + beside)
    assert refused.value.code == code


def test_no_address_of_an_offer_is_left() -> None:
    """In whatever spelling."""
    lines = [
        "a=candidate:1 1 udp 1 10.0.0.5 22 typ host",
        "a=candidate:1 1 UDP 1 169.254.169.254 80 typ srflx raddr 127.0.0.1 rport 5432",
        "a=candidate:1 1 udp 1 ::1 6379 typ host",
        "a=candidate:1 1 udp 1 db.internal 5432 typ host",
        "a=candidate:1 1 udp 1 0x7f000001 5432 typ host",
        "a=remote-candidates:1 10.0.0.5 22",
        "a=rtcp:22 IN IP4 10.0.0.5",
        "a=end-of-candidates",
    ]
    sdp, _ = narrowed(VIDEO + "\r\n".join(lines) + "\r\n")
    assert "candidate" not in sdp
    assert "10.0.0.5" not in sdp
