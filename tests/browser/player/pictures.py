"""The other side of the camera's tests: takes pictures and events as the contract of the ingest says, and keeps them to be read."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.browser.player.peer import problem
from tests.browser.player.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

FACES = "node_modules/@vladmandic/face-api/demo"


@dataclass(frozen=True)
class Taken:
    """A picture as it came."""

    token: str
    n: int
    at: int
    kind: str
    type: str
    body: bytes
    came: float

    @property
    def size(self) -> tuple[int, int]:
        return Image.open(io.BytesIO(self.body)).size


@dataclass
class Receiver(Served):
    """Whether it refuses is the test's choice; `stores`: receipt is storing."""

    refuse: tuple[int, str] | None = None
    stores: bool = True
    watched: bool = False
    screen: bool = False
    pictures: list[Taken] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    every_s: int = 1
    most_bytes: int = 12_288

    def of(self, kind: str) -> list[Taken]:
        return [one for one in self.pictures if one.kind == kind]

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events]

    def watch(self) -> dict[str, Any]:
        """What the engine tells a player."""
        return {
            "url": self.url,
            "every_s": self.every_s,
            "most_bytes": self.most_bytes,
            "identity": True,
            "screen": self.screen,
            "keep_days": 90,
        }

    async def picture(self, request: Request) -> Response:
        body = await request.body()
        if self.refuse:
            return problem(*self.refuse, retry_after=1 if self.refuse[0] >= 429 else None)
        asked = request.query_params
        taken = Taken(
            request.headers["authorization"].removeprefix("Bearer "),
            *(
                int(asked["n"]),
                int(asked["at"]),
                asked["kind"],
                request.headers["content-type"],
                body,
                time.monotonic(),
            ),
        )
        assert len(body) <= self.most_bytes * (4 if taken.kind == "identity" else 1)
        self.pictures.append(taken)
        stored = [taken.n] if self.stores else []
        return JSONResponse(
            {
                "received": taken.n,
                "stored": stored,
                "every_s": self.every_s,
                "most_bytes": self.most_bytes,
                "watched": self.watched,
            }
        )

    async def happened(self, request: Request) -> Response:
        events = (await request.json())["events"]
        if self.refuse:
            return problem(*self.refuse, retry_after=1 if self.refuse[0] >= 429 else None)
        assert 0 < len(events) <= 50
        self.events += [event for event in events if event["n"] not in {one["n"] for one in self.events}]
        return JSONResponse({"received": [event["n"] for event in events]})

    def app(self) -> Any:
        """What the phone's page reaches from another origin."""
        inner = Starlette(
            routes=[
                Route("/v1/pictures", self.picture, methods=["POST"]),
                Route("/v1/watch", self.happened, methods=["POST"]),
            ]
        )
        return CORSMiddleware(
            inner, allow_origins=["*"], allow_headers=["authorization", "content-type"], allow_methods=["POST"],
            expose_headers=["retry-after"],
        )  # fmt: skip


FRAMES_A_SECOND = 30


def film(path: Path, *scenes: Image.Image, each_s: int = 0) -> Path:
    """A film that Chromium plays as a camera, over and over: motion JPEG, each scene a frame, or so many seconds."""
    with path.open("wb") as file:
        for scene in scenes:
            frame = io.BytesIO()
            scene.convert("RGB").resize((640, 480)).save(frame, "JPEG", quality=90)
            file.write(frame.getvalue() * (each_s * FRAMES_A_SECOND or 1))
    return path


def face(source: Path, sample: int, x: int, y: int) -> Image.Image:
    """A face out of the detector's own samples, framed as a phone's camera frames it."""
    picture = Image.open(source / FACES / f"sample{sample}.jpg")
    return picture.crop((x - 280, y - 210, x + 280, y + 210))
