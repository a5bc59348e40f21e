"""A phone and a viewer of a live view, played by aiortc: what a browser does, without a browser."""

from __future__ import annotations

import asyncio
import fractions
import time
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

from infra.live_tickets import LiveClaims, sign
from infra.local import decode_key

if TYPE_CHECKING:
    import asyncpg
    from aiortc import MediaStreamTrack

    from infra.parts.supervisor import Stack

    Db = asyncpg.Connection[asyncpg.Record]


class Moving(VideoStreamTrack):
    """A bar that wanders: no two frames are alike."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(0.1)
        self.number += 1
        picture = np.full((240, 320, 3), 40, np.uint8)
        at = self.number * 16 % 300
        picture[:, at : at + 20] = 230
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self.number * 9000, fractions.Fraction(1, 90_000)
        return frame


def ticket_for(stack: Stack, role: str, view: int, attempt: int, seconds: int = 60) -> str:
    """As the portal and the ingest sign it."""
    claims = LiveClaims(role, view, attempt, int(time.time()) + seconds)  # type: ignore[arg-type]
    return sign(decode_key(stack.secrets.live_key), claims)


async def asked(db: Db, stack: Stack, attempt: int, sitting: int, staff: int) -> int:
    """A row as the portal writes it, of a child in that proctor's hands."""
    await db.execute(
        "insert into watch_hand (attempt_id, sitting_id, staff_id) values ($1, $2, $3) on conflict do nothing",
        *(attempt, sitting, staff),
    )
    return await db.fetchval(
        """
        insert into watch_live (attempt_id, sitting_id, staff_id, forwarder, waits_until)
        values ($1, $2, $3, $4, now() + interval '90 seconds')
        returning id
        """,
        *(attempt, sitting, staff, f"http://{stack.home.address}:{stack.home.ports.live}"),
    )


class Side:
    """One peer connection to the forwarder."""

    def __init__(self, base: str, ticket: str) -> None:
        self.base, self.ticket = base, ticket
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.client = httpx.AsyncClient(verify=False, timeout=20, headers={"authorization": f"Bearer {ticket}"})
        self.frames: list[Any] = []
        self._reader: asyncio.Task[None] | None = None

    async def post(self, word: str, **body: object) -> httpx.Response:
        return await self.client.post(f"{self.base}/v1/live/{word}", json=body)

    async def offer(self) -> str:
        """Its offer, candidates and all."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def begin(self) -> httpx.Response:
        """Offer, and take the answer."""
        answer = await self.post("offer", sdp=await self.offer())
        if answer.status_code == 200:
            await self.pc.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))
        return answer

    async def state(self) -> dict[str, Any]:
        return (await self.post("state")).json()

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        await self.pc.close()
        await self.client.aclose()


class Publisher(Side):
    """The phone."""

    def __init__(self, base: str, ticket: str, *, sound: bool = False) -> None:
        super().__init__(base, ticket)
        self.track = Moving()
        self.pc.addTransceiver(self.track, direction="sendonly")
        if sound:
            self.pc.addTransceiver("audio", direction="sendonly")


class Viewer(Side):
    """The proctor's page: keeps what it has seen."""

    def __init__(self, base: str, ticket: str) -> None:
        super().__init__(base, ticket)
        self.pc.addTransceiver("video", direction="recvonly")
        self.pc.on("track", self._take)

    def _take(self, track: MediaStreamTrack) -> None:
        async def read() -> None:
            while True:
                frame = await track.recv()
                self.frames.append(frame.to_ndarray(format="gray"))

        self._reader = asyncio.ensure_future(read())
