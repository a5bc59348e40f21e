"""The other side of the page's own tests: speaks docs/protocol.md from memory, and can be told to fail in every way.

Not the engine and not a model of its durability: the tests of the whole sit on the real one.
Here a test decides what is slow, lost, refused or ordered by staff, and reads afterwards what the page has sent.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.browser.player.form import Packed, pack
from tests.browser.player.served import Served

if TYPE_CHECKING:
    from starlette.requests import Request

DIST = Path(__file__).parents[3] / "engine" / "player" / "dist"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types elumiti"
)
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".bin": "application/octet-stream",
}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def slip_code(eleven: str) -> str:
    """A whole code from its first eleven characters."""
    total = sum(ALPHABET.index(c) * (2 * i + 1) for i, c in enumerate(eleven, 1))
    return eleven + ALPHABET[total % 32]


@dataclass
class Pupil:
    attempt: int
    code: str
    first_name: str
    day: int = 14
    month: int = 3
    started_ms: int | None = None
    extra_s: int = 0
    devices: list[str] = field(default_factory=list)
    events: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    final: dict[str, Any] | None = None
    controls: list[dict[str, Any]] = field(default_factory=list)
    deadline_ms: int | None = None


@dataclass
class Peer(Served):
    """What a test may turn, and what it may read."""

    starts_in_s: float = -60
    duration_s: int = 3600
    spread_s: int = 0
    next_save_s: int = 2
    packed: Packed = field(default_factory=pack)
    rescue: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    clock_ahead_ms: int = 0
    durable: bool = True
    """Whether receipts are called durable; else they wait."""
    lose_reply_of: set[str] = field(default_factory=set)
    """Routes whose work is done, but whose reply never arrives, once each."""
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    exam_room: dict[str, Any] | None = None
    """The room of a sign-in's reply: number, name, blob, reserve."""
    watch: dict[str, Any] | None = None
    """Where pictures go, if the sitting has a camera; each pupil gets a token of his own."""
    generation: int = 1
    seen: list[tuple[str, Any]] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.made_ms = time.time() * 1000
        self.pupils = [Pupil(4711, slip_code("K7QM2XW9PN4"), "Айгүл"), Pupil(4712, slip_code("2B3C4D5E6F7"), "Нұрлан")]
        self.entry = 0

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.clock_ahead_ms

    def starts_ms(self) -> int:
        return int(self.made_ms + self.starts_in_s * 1000) + self.clock_ahead_ms

    def stamp(self) -> dict[str, Any]:
        now = self.now_ms()
        return {"now_ms": now, "now": f"{now}.{hashlib.sha256(str(now).encode()).hexdigest()[:8]}"}

    def deadline(self, pupil: Pupil) -> int | None:
        if pupil.started_ms is None:
            return None
        return pupil.deadline_ms or pupil.started_ms + (self.duration_s + pupil.extra_s) * 1000

    def order(self, pupil: Pupil, kind: str, **body: Any) -> int:
        """Staff orders something; the next save brings it."""
        version = len(pupil.controls) + 1
        pupil.controls.append({"version": version, "kind": kind, "body": body})
        return version

    def answers(self, pupil: Pupil) -> dict[int, Any]:
        """Newest answers over all devices, as they would be scored."""
        out: dict[int, Any] = {}
        for device in pupil.devices:
            for seq in sorted(pupil.events.get(device, {})):
                event = pupil.events[device][seq]
                if event["kind"] == "answer":
                    out[event["item"]] = event.get("value")
        return out

    def open_rescue(self, file: bytes) -> dict[str, Any]:
        """What the exam centre does with a rescue file."""
        header, sealed = file.split(b"\n", 1)
        said = json.loads(header)
        theirs = unbase64(said["key"])
        shared = self.rescue.exchange(X25519PublicKey.from_public_bytes(theirs))
        salt = theirs + self.rescue.public_key().public_bytes_raw()
        key = HKDF(SHA256(), 32, salt, b"elumiti/rescue").derive(shared)
        plain = AESGCM(key).decrypt(unbase64(said["nonce"]), sealed, header + b"\n")
        return json.loads(gzip.decompress(plain) if said["zip"] else plain)

    # ---- routes

    async def sign_in(self, request: Request) -> Response:
        body = await request.json()
        self.seen.append(("sign-in", body))
        pupil = next((one for one in self.pupils if one.code == body["code"]), None)
        if pupil is None:
            return problem(401, "code-unknown")
        if (body["day"], body["month"]) != (pupil.day, pupil.month):
            return problem(401, "birth-mismatch", tries_left=2)
        device = body["device"]
        superseded = device in pupil.devices[:-1]
        if device not in pupil.devices:
            pupil.devices.append(device)
        others = any(pupil.events.get(one) for one in pupil.devices if one != device)
        starts = self.starts_ms()
        raw = self.rescue.public_key().public_bytes_raw()
        sitting = {
            "id": 3,
            "project": "myn-bala",
            "languages": ["kk", "ru", "en"],
            "title": {"kk": "Мың бала: бірінші кезең", "ru": "Мың бала: первый тур", "en": "Myń Bala: first round"},
            "waiting_opens_ms": starts - 3_600_000,
            "starts_ms": starts,
            "last_entry_ms": starts + 900_000,
            "duration_s": self.duration_s,
            "ends_ms": None,
            "extra_s": 0,
            "grace_s": 120,
            "spread_s": self.spread_s,
            "help": {"name": "Гүлнар Сәрсенқызы", "phone": "+7 700 000 00 11"},
        }
        reply = {
            "token": f"{pupil.attempt}.{device}",
            "attempt": pupil.attempt,
            "first_name": pupil.first_name,
            "language": "kk",
            "superseded": superseded,
            "resume": others,
            "sitting": sitting,
            "manifest": self.packed.manifest,
            "started_ms": pupil.started_ms,
            "deadline_ms": self.deadline(pupil),
            **self.stamp(),
            "generation": self.generation,
            "next_save_s": self.next_save_s,
            "room": 20,
            "controls": {"version": 0, "items": []},
            "rescue_key": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        }
        if self.watch:
            reply["watch"] = self.watch | {"token": str(pupil.attempt)}
        if self.exam_room:
            reply |= {"exam_room": self.exam_room, "seed": self.seed(pupil)}
        return JSONResponse(reply)

    def seed(self, pupil: Pupil) -> str:
        return hashlib.sha256(str(pupil.attempt).encode()).hexdigest()[:32]

    async def bundle(self, request: Request) -> Response:
        body = self.packed.files.get(request.path_params["name"])
        if body is None:
            return problem(404, "bundle-unknown")
        return Response(
            body,
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
            media_type="application/octet-stream",
        )

    async def clock(self, _request: Request) -> Response:
        return JSONResponse(self.stamp(), headers={"Cache-Control": "no-store"})

    async def key(self, request: Request) -> Response:
        pupil, _device = self.who(request)
        if self.now_ms() < self.starts_ms():
            return problem(425, "too-early")
        if pupil.started_ms is None:
            pupil.started_ms = self.now_ms()
        keys = {name: base64.urlsafe_b64encode(key).decode().rstrip("=") for name, key in self.packed.keys.items()}
        reply: dict[str, Any] = {
            "keys": keys,
            "seed": self.seed(pupil),
            "started_ms": pupil.started_ms,
            "deadline_ms": self.deadline(pupil),
            **self.stamp(),
        }
        if self.watch:
            reply["watch"] = self.watch | {"token": f"{pupil.attempt}.with-key"}
        return JSONResponse(reply)

    async def save(self, request: Request) -> Response:
        pupil, device = self.who(request)
        body = json.loads(await request.body())
        self.seen.append((request.url.path, body))
        kept = pupil.events.setdefault(device, {})
        for event in body["events"]:
            kept.setdefault(event["seq"], event)
        self.entry += 1
        reply: dict[str, Any] = {
            "receipt": f"1-{self.now_ms()}-{self.entry}",
            "open": ["durable" if self.durable else "wait" for _ in body["open"]],
            **self.stamp(),
            "generation": self.generation,
            "next_save_s": self.next_save_s,
            "room": 20,
            "started_ms": pupil.started_ms,
            "deadline_ms": self.deadline(pupil),
        }
        if pupil.devices[-1] != device:
            reply["superseded"] = True
        news = [one for one in pupil.controls if one["version"] > body["controls"]]
        if news:
            reply["controls"] = {"version": news[-1]["version"], "items": news}
        self.judge_finish(pupil, kept, reply)
        return JSONResponse(reply)

    def judge_finish(self, pupil: Pupil, kept: dict[int, dict[str, Any]], reply: dict[str, Any]) -> None:
        """`final` when everything up to the last finish event is here and its hash agrees."""
        finish = max(
            (event for event in kept.values() if event["kind"] == "finish"),
            key=lambda event: event["seq"],
            default=None,
        )
        if (
            finish is None
            or not self.durable
            or any(event["kind"] == "answer" and event["seq"] > finish["seq"] for event in kept.values())
        ):
            return
        gone = [seq for seq in range(1, finish["seq"]) if seq not in kept]
        if gone:
            reply["missing"] = [[seq, seq] for seq in gone]
            return
        lines = "".join(log_line(kept[seq]) for seq in range(1, finish["seq"]))
        if finish["value"] == {"count": finish["seq"] - 1, "hash": hashlib.sha256(lines.encode()).hexdigest()}:
            pupil.final = {"code": "K7QM-2XW9", "at_ms": self.now_ms(), "count": finish["seq"]}
            reply["final"] = pupil.final

    async def resume(self, request: Request) -> Response:
        pupil, _device = self.who(request)
        answers = {str(item): {"value": value, "seq": 1} for item, value in self.answers(pupil).items()}
        views = [
            event["item"]
            for one in pupil.devices
            for event in pupil.events.get(one, {}).values()
            if event["kind"] == "view"
        ]
        return JSONResponse(
            {
                "complete": True,
                "answers": answers,
                "marked": [],
                "place": views[-1] if views else None,
                "language": "kk",
                "devices": [],
                "started_ms": pupil.started_ms,
                "deadline_ms": self.deadline(pupil),
                **self.stamp(),
                "final": pupil.final,
            }
        )

    async def have(self, request: Request) -> Response:
        pupil, device = self.who(request)
        return JSONResponse(
            {"generation": self.generation, "have": [[seq, seq] for seq in sorted(pupil.events.get(device, {}))]}
        )

    async def file(self, request: Request) -> Response:
        path = request.path_params.get("path") or "index.html"
        file = DIST / path
        if not file.is_file():
            return Response("not found", 404)
        cache = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        headers = {
            "Cache-Control": cache,
            "Content-Security-Policy": POLICY.replace(
                "connect-src 'self'", f"connect-src 'self' {self.watch['url'] if self.watch else ''}"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(file.read_bytes(), headers=headers, media_type=TYPES[file.suffix])

    def who(self, request: Request) -> tuple[Pupil, str]:
        attempt, device = request.headers["authorization"].removeprefix("Bearer ").split(".")
        return next(one for one in self.pupils if one.attempt == int(attempt)), device

    # ---- running

    def app(self) -> Any:
        routes = [
            Route("/v1/sign-in", self.sign_in, methods=["POST"]),
            Route("/v1/bundles/{name}", self.bundle),
            Route("/v1/clock", self.clock),
            Route("/v1/key", self.key, methods=["POST"]),
            Route("/v1/save", self.save, methods=["POST"]),
            Route("/v1/finish", self.save, methods=["POST"]),
            Route("/v1/resume", self.resume, methods=["POST"]),
            Route("/v1/have", self.have, methods=["POST"]),
            Route("/{path:path}", self.file),
        ]
        inner = GZipMiddleware(Starlette(routes=routes), minimum_size=500)

        async def told(scope: Any, receive: Any, send: Any) -> None:
            path = scope.get("path", "")
            if scope["type"] == "http" and path in self.refuse:
                status, code = self.refuse[path]
                await problem(status, code, retry_after=1)(scope, receive, send)
            elif scope["type"] == "http" and path in self.lose_reply_of:
                self.lose_reply_of.discard(path)

                async def nowhere(_message: Any) -> None:
                    """The work is done; nobody hears of it."""

                await inner(scope, receive, nowhere)
                await Response("", 502)(scope, receive, send)
            else:
                await inner(scope, receive, send)

        return told


def problem(status: int, code: str, *, retry_after: int | None = None, **fields: Any) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    body = {"type": "about:blank", "title": code, "status": status, "detail": code, "code": code, **fields}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def log_line(event: dict[str, Any]) -> str:
    """One event as the finish hash sees it; `separators` is what JSON.stringify writes."""
    value = json.dumps(event["value"], ensure_ascii=False, separators=(",", ":")) if "value" in event else "-"
    return f"{event['seq']} {event['kind']} {event.get('item', '-')} {value}\n"
