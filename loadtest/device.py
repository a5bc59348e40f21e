"""A simulated device: a log, receipts, and the regular save, by the rules of docs/protocol.md."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

if TYPE_CHECKING:
    from loadtest.scenario import PlayPupil

RETRY_LIMIT = 40
AGAIN_AFTER_S = 120.0


class RefusedEvent(msgspec.Struct):
    """An event that was set aside."""

    seq: int


class Reply(msgspec.Struct, kw_only=True):
    """What this client reads of any reply."""

    now: str = ""
    now_ms: int = 0
    token: str | None = None
    attempt: int = 0
    receipt: str | None = None
    open: list[str] | None = None
    missing: list[tuple[int, int]] | None = None
    refused: list[RefusedEvent] | None = None
    started_ms: int | None = None
    deadline_ms: int | None = None
    sitting: dict[str, msgspec.Raw] | None = None
    final: dict[str, msgspec.Raw] | None = None
    generation: int = 1
    answers: dict[str, msgspec.Raw] | None = None


class Noted(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An event of the log as it goes over the wire."""

    seq: int
    kind: str
    item: int | None = None
    value: msgspec.Raw | None = None
    anchor: int | None = None
    ms: int = 0
    again: bool = False


class Kept(msgspec.Struct):
    """An event and what became of it."""

    event: Noted
    anchor: str
    receipt: str | None = None
    sent_at: float = 0.0
    durable: bool = False
    refused: bool = False


class Batch(msgspec.Struct, kw_only=True):
    """A save's body."""

    attempt: int
    clock: list[str]
    open: list[str]
    events: list[Noted]
    generation: int


class RefusedError(Exception):
    """A problem answer that repeating does not mend."""


decode_reply = msgspec.json.Decoder(Reply).decode
encode = msgspec.json.Encoder().encode


class Device:
    """One pupil's device. `speed` is the factor of the sitting's clock."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, pupil: PlayPupil, speed: float) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._pupil = pupil
        self._speed = speed
        self._device = secrets.token_hex(16)
        self._headers: dict[str, str] = {}
        self._anchor = ""
        self._anchored_at = time.monotonic()
        self.attempt = 0
        self.log: list[Kept] = []
        self.last = Reply()
        self.saves = 0

    async def sign_in(self) -> Reply:
        """Sign in with the slip."""
        pupil = self._pupil
        body = {
            "code": pupil.code,
            "day": pupil.day,
            "month": pupil.month,
            "device": self._device,
            "agent": "simulated",
        }
        reply = await self._call("/v1/sign-in", encode(body))
        self.attempt = reply.attempt
        return reply

    async def start(self) -> Reply:
        """Get the keys, at T0 or when they are given."""
        return await self._call("/v1/key", b"")

    async def resume(self) -> dict[str, msgspec.Raw]:
        """The answers of all devices of this attempt, as the server holds them."""
        reply = await self._call("/v1/resume", encode({"device": self._device}))
        return reply.answers or {}

    def note(self, kind: str, item: int | None = None, value: msgspec.Raw | None = None) -> None:
        """Write into the log."""
        since_ms = round((time.monotonic() - self._anchored_at) * self._speed * 1000)
        event = Noted(seq=len(self.log) + 1, kind=kind, item=item, value=value, ms=since_ms)
        self.log.append(Kept(event, self._anchor))

    def finish(self) -> None:
        """Write the finish event."""
        digest = hashlib.sha256("".join(_line(kept) for kept in self.log).encode()).hexdigest()
        self.note("finish", value=msgspec.Raw(encode({"count": len(self.log), "hash": digest})))

    @property
    def settled(self) -> bool:
        """Everything is in Postgres."""
        return all(kept.durable for kept in self.log)

    async def save(self, path: str = "/v1/save") -> Reply:
        """Send what is owed; take in what is said."""
        now = time.monotonic()
        owed = [kept for kept in self.log if self._is_owed(kept, now)]
        anchors = sorted({kept.anchor for kept in owed})[:8]
        events: list[Noted] = []
        for kept in owed[:200]:
            kept.event.anchor = anchors.index(kept.anchor) if kept.anchor in anchors else None
            kept.event.again = kept.sent_at > 0
            kept.sent_at = now
            events.append(kept.event)
        newest: dict[str, str] = {}
        for kept in self.log:
            if kept.receipt and not kept.durable:
                newest[kept.receipt.partition("-")[0]] = kept.receipt
        body = Batch(
            attempt=self.attempt,
            clock=anchors,
            open=list(newest.values())[:16],
            events=events,
            generation=self.last.generation,
        )
        self.saves += 1
        reply = await self._call(path, encode(body))
        for kept in owed[:200]:
            kept.receipt = reply.receipt
        for receipt, standing in zip(body.open, reply.open or [], strict=False):
            self._settle(receipt, standing)
        for one in reply.refused or []:
            self.log[one.seq - 1].refused = self.log[one.seq - 1].durable = True
        for first, last in reply.missing or []:
            for kept in self.log[first - 1 : last]:
                kept.receipt, kept.durable = None, kept.refused
        return reply

    def _is_owed(self, kept: Kept, now: float) -> bool:
        return not kept.durable and (kept.receipt is None or now - kept.sent_at > AGAIN_AFTER_S)

    def _settle(self, receipt: str, standing: str) -> None:
        stream, place = _place(receipt)
        for kept in self.log:
            if kept.receipt is None or kept.durable:
                continue
            mine, at = _place(kept.receipt)
            if mine == stream and at <= place:
                if standing == "durable":
                    kept.durable = True
                elif standing == "again":
                    kept.receipt = None

    async def _call(self, path: str, body: bytes) -> Reply:
        pause = 0.5
        for _ in range(RETRY_LIMIT):
            try:
                async with self._http.post(self._base + path, data=body, headers=self._headers) as answer:
                    content = await answer.read()
                    if answer.status < 400:
                        return self._hear(content)
                    if answer.status not in {425, 429, 500, 502, 503, 504}:
                        msg = f"{path}: {answer.status} {content.decode(errors='replace')[:300]}"
                        raise RefusedError(msg)
            except (OSError, TimeoutError, aiohttp.ClientError):
                # The line is bad or the server restarts: the same again, later.
                pass
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 1.5)
        msg = f"{path}: no answer after {RETRY_LIMIT} tries"
        raise RefusedError(msg)

    def _hear(self, content: bytes) -> Reply:
        reply = decode_reply(content)
        self.last = reply
        if reply.token:
            self._headers = {"authorization": f"Bearer {reply.token}"}
        if reply.now:
            self._anchor, self._anchored_at = reply.now, time.monotonic()
        return reply


def _line(kept: Kept) -> str:
    event = kept.event
    if kept.refused:
        return f"{event.seq} refused - -\n"
    item = "-" if event.item is None else event.item
    value = "-" if event.value is None else bytes(event.value).decode()
    return f"{event.seq} {event.kind} {item} {value}\n"


def _place(receipt: str) -> tuple[int, tuple[int, int]]:
    stream, id_ms, id_seq = receipt.split("-")
    return int(stream), (int(id_ms), int(id_seq))
