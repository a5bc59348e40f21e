"""Live view where no UDP goes: both browsers reach the forwarder through coturn as docs/operations/live.md has it."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from infra.parts.supervisor import command_argv
from infra.parts.unused import unused_ports
from tests.browser.player.before_camera import FAKE, PHONE, sit_down
from tests.browser.player.test_live_view import assets, desk, ours
from tests.support.camera_consent import sitting_with_camera
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.browser.player.test_live_view import Desk
    from tests.support.loop import Loop

__all__ = ["assets", "desk", "ours"]
PAGE = Path(__file__).parents[3] / "docs" / "operations" / "live.md"
# Lines of the page that name its own machines.
OF_OTHERS = {"tls-listening-port", "cert", "pkey", "allowed-peer-ip"}
# The page of a network that lets nothing out but TCP to the relay; its connections are kept, to be asked.
NO_UDP = """
const Made = RTCPeerConnection;
window.made = [];
window.RTCPeerConnection = class extends Made {
    constructor(given) { super({...given, iceTransportPolicy: 'relay'}); window.made.push(this); }
};
"""
WAY = """async () => {
    const stats = await window.made.at(-1).getStats();
    const pair = [...stats.values()].find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
    const local = pair && stats.get(pair.localCandidateId);
    return local ? [local.candidateType, local.relayProtocol] : null;
}"""


@contextlib.contextmanager
def coturn(folder: Path, key: str) -> Iterator[int]:
    """The server with the page's own settings, at addresses of this machine; its port."""
    program = shutil.which("turnserver")
    assert program, "no coturn: apt install coturn"
    block = re.search(r"turnserver\.conf.*?```\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block
    port = unused_ports(1)[0]
    # The forwarder offers every address of this machine but the loopback's.
    every = [
        found.address for card in psutil.net_if_addrs().values() for found in card if found.family == socket.AF_INET
    ]
    ours = [address for address in every if not address.startswith("127.")]
    here = {
        "listening-port": str(port),
        "static-auth-secret": key,
        "listening-ip": "127.0.0.1",
        "relay-ip": ours[0],
        "pidfile": str(folder / "turn.pid"),
        "userdb": str(folder / "turn.db"),
        "log-file": "stdout",
    }
    lines = [line for line in block[1].splitlines() if line.split("=")[0] not in {*here, *OF_OTHERS}]
    lines += [f"allowed-peer-ip={address}" for address in ours]
    lines += [f"{name}={value}" for name, value in here.items()]
    lines += ["no-tls", "no-dtls"]
    (folder / "turn.conf").write_text("\n".join(lines) + "\n")
    with (folder / "turn.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(folder / "turn.conf")], stdout=log, stderr=log)
    try:
        until(lambda: _listens(port), limit_s=15)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_without_udp_the_live_picture_comes_through_a_relay(
    player: Path,
    stack: Stack,
    service: str,
    owner_url: str,
    loop: Loop,
    desk: Desk,
    ours: tuple[str, ...],
    sitter_at: Callable[..., Sitter],
    tmp_path: Path,
) -> None:
    """It moves, and both sides go by TCP to the relay with the password of minutes that the forwarder gave them."""
    assert player
    key = secrets.token_urlsafe(24)

    async def told_of_turn(port: int) -> None:
        servers = msgspec.json.encode([f"turn:127.0.0.1:{port}?transport=tcp"]).decode()
        stack.overrides["live"] |= {"ELUMITI_LIVE_ICE_SERVERS": servers, "ELUMITI_LIVE_TURN_KEY": key}
        await stack.parts.pop("live").down()
        await stack.start_process("live", "live", command_argv("live"), stack.home.ports.live)

    def way(page: Any) -> list[str] | None:
        return page.evaluate(WAY)

    with coturn(tmp_path, key) as port:
        loop.run(told_of_turn(port), 60)
        made, _ = loop.run(sitting_with_camera(stack, owner_url, every_s=5), 60)
        seat = made.seats[0]
        sitter = sitter_at(service, flags=FAKE, viewport=PHONE, ours=ours)
        sitter.page.add_init_script(NO_UDP)
        sitter.page.reload()
        desk.page.add_init_script(NO_UDP)
        sit_down(sitter, seat)
        shots = "select count(*) from picture where attempt_id = $1 and kind = 'snapshot'"
        until(lambda: desk.ask(shots, seat.attempt) >= 1, limit_s=40)

        desk.page.goto(f"{desk.portal}/sittings/{made.sitting}/wall")
        desk.page.get_by_role("button", name="Балаларды алу").click()
        desk.look(seat.attempt)
        until(desk.moves, limit_s=40)
        assert way(sitter.page) == ["relay", "tcp"]
        assert way(desk.page) == ["relay", "tcp"]
        desk.page.get_by_role("button", name="Қазір аяқтау").click()
        until(lambda: desk.why(seat.attempt) == "proctor", limit_s=10)
