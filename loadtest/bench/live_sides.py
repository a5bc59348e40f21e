"""One side of many live views in a process of its own: phones that send made packets, or viewers that count what comes.

Tickets come as a line of JSON; «ready» goes back when all are connected; from «go» on it is counted, on «stop» the counts
are told. Nothing here encodes or decodes a picture: the bodies are noise behind a real VP8 head.
"""
# ruff: noqa: SLF001 (a phone's and a viewer's own packets: aiortc has no public way past its codecs)
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
import random
import struct
import sys
import time

import aiohttp
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

FPS, PACKETS, BYTES = 10, 2, 930
AT_ONCE = 8
CONNECT_S = 60.0


class Peer:
    """A connection without codecs."""

    def __init__(self, direction: str) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.transceiver = self.pc.addTransceiver("video", direction=direction)
        self.up = asyncio.Event()
        self.received = self.sent = 0
        self.first = self.last = -1
        self.source = 0

    async def connect(self, client: aiohttp.ClientSession, base: str, ticket: str) -> None:
        """Offer, answer, and wait for DTLS."""
        one = self.transceiver
        one.receiver.receive = self._began
        one.sender.send = self._began
        self.transport = one.receiver.transport
        self.transport._handle_rtp_data = self._rtp
        self.transport._handle_rtcp_data = self._rtcp
        await self.pc.setLocalDescription(await self.pc.createOffer())
        headers = {"authorization": f"Bearer {ticket}"}
        async with client.post(
            f"{base}/v1/live/offer", json={"sdp": self.pc.localDescription.sdp}, headers=headers
        ) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            sdp = (await answer.json())["sdp"]
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self.type = one._codecs[0].payloadType or 0
        await asyncio.wait_for(self.up.wait(), CONNECT_S)

    async def _began(self, parameters: object) -> None:  # noqa: ARG002
        self.up.set()

    async def _rtp(self, data: bytes, arrival_time_ms: int) -> None:  # noqa: ARG002
        number = int.from_bytes(data[2:4], "big")
        self.first = number if self.first < 0 else self.first
        self.last = number
        self.source = int.from_bytes(data[8:12], "big")
        self.received += 1

    async def _rtcp(self, data: bytes) -> None: ...

    async def send_for_ever(self) -> None:
        """Ten frames a second of two packets: 150 kbit/s; each phone at its own moment."""
        body = b"\x10" + random.randbytes(BYTES)
        ssrc, stamp, number = random.getrandbits(32), 0, 0
        await asyncio.sleep(random.random() / FPS)
        due = time.monotonic()
        while True:
            for place in range(PACKETS):
                last = 0x80 if place == PACKETS - 1 else 0
                head = struct.pack(">BBHII", 0x80, last | self.type, number & 0xFFFF, stamp, ssrc)
                await self.transport._send_rtp(head + body)
                number += 1
                self.sent += 1
            stamp = (stamp + 90_000 // FPS) & 0xFFFFFFFF
            due += 1 / FPS
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def report_for_ever(self) -> None:
        """As a browser does, once a second."""
        while True:
            await asyncio.sleep(0.5 + random.random())
            if self.source:
                info = RtcpReceiverInfo(self.source, 0, 0, self.last, 0, 0, 0)
                await self.transport._send_rtp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))


async def run(role: str, base: str) -> None:
    """Connect all, say so, work until told."""
    loop = asyncio.get_running_loop()

    async def line() -> str:
        return (await loop.run_in_executor(None, sys.stdin.readline)).strip()

    tickets: list[str] = json.loads(await line())
    gate = asyncio.Semaphore(AT_ONCE)
    peers: list[Peer] = []
    async with aiohttp.ClientSession() as client:

        async def one(ticket: str) -> None:
            async with gate:
                peer = Peer("sendonly" if role == "publish" else "recvonly")
                peers.append(peer)
                await peer.connect(client, base, ticket)

        await asyncio.gather(*(one(ticket) for ticket in tickets))
    works = [loop.create_task(peer.send_for_ever() if role == "publish" else peer.report_for_ever()) for peer in peers]
    print("ready", flush=True)
    cpu = time.process_time()
    while await line() != "stop":
        cpu = time.process_time()
        for peer in peers:
            peer.received = peer.sent = 0
            peer.first = -1
    used = time.process_time() - cpu
    for work in works:
        work.cancel()
    if role == "watch":
        # What is still on its way.
        await asyncio.sleep(0.5)
    expected = sum(peer.last - peer.first + 1 for peer in peers if peer.received)
    told = {"cpu": used, "sent": sum(peer.sent for peer in peers), "received": sum(peer.received for peer in peers)}
    told |= {"expected": expected, "silent": sum(not peer.received for peer in peers)}
    print(json.dumps(told), flush=True)
    await asyncio.gather(*(peer.pc.close() for peer in peers))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(sys.argv[1], sys.argv[2]))
