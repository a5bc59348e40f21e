"""A pupil that speaks docs/protocol.md: the tests' own small client, beside the real player."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Container

    from tests.support.sittings import Seat

Reply = dict[str, Any]

TRIES_S = 15.0


class Refused(Exception):  # noqa: N818
    """A problem answer."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem: Reply = response.json()
        self.headers = response.headers
        super().__init__(f"{self.status} {self.problem.get('code')}")


class Pupil:
    """One device of one pupil. Keeps its log and every event until it is durable, as rule 1 asks."""

    def __init__(self, base_url: str, seat: Seat) -> None:
        self.base_url = base_url
        self.seat = seat
        self.device = secrets.token_hex(16)
        self.log: list[Reply] = []
        self.token = ""
        self.now = ""
        self.now_at = time.monotonic()
        self.attempt = 0
        self.keys: Reply = {}
        self.controls = 0
        self.generation = 1
        # seq → receipt it was acknowledged with; absent: never acknowledged
        self.acked: dict[int, str] = {}
        self.sent: set[int] = set()
        self.durable: set[int] = set()
        self.refused: set[int] = set()
        self.last: Reply = {}

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """One request over a connection of its own; problems are raised."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.token and "authorization" not in headers:
            headers["authorization"] = f"Bearer {self.token}"
        async with httpx.AsyncClient(timeout=30, verify=False) as client:
            response = await client.request(method, self.base_url + path, content=content, headers=headers)
        if response.status_code >= 400:
            raise Refused(response)
        return response.json()

    async def sign_in(self, **changes: object) -> Reply:
        """Sign in with the slip."""
        seat = self.seat
        body = {
            "code": seat.code,
            "day": seat.day,
            "month": seat.month,
            "device": self.device,
            "agent": "test",
        } | changes
        reply = await self.call("POST", "/v1/sign-in", body)
        self.attempt = reply["attempt"]
        self._hear(reply)
        return reply

    async def start(self) -> Reply:
        """Get the keys; told to try later, as a worker may that has just begun, he does."""
        limit = time.monotonic() + TRIES_S
        while True:
            try:
                reply = await self.call("POST", "/v1/key")
                break
            except Refused as refused:
                if refused.problem["code"] != "try-later" or time.monotonic() > limit:
                    raise
            await asyncio.sleep(0.2)
        self.keys = reply
        self._hear(reply)
        return reply

    def note(self, kind: str, item: int | None = None, value: object = ...) -> Reply:
        """Something happens on the device: it goes into the log."""
        event: Reply = {"seq": len(self.log) + 1, "kind": kind, "ms": round((time.monotonic() - self.now_at) * 1000)}
        event |= {"now": self.now}
        if item is not None:
            event["item"] = item
        if value is not ...:
            event["value"] = value
        self.log.append(event)
        return event

    def answer(self, item: int, value: object) -> Reply:
        """Answer an item."""
        return self.note("answer", item, value)

    def batch(self, events: list[Reply] | None = None) -> Reply:
        """A save's body with everything that is owed, or with just these events."""
        owed = [event for event in self.log if event["seq"] not in self.acked] if events is None else events
        clock = sorted({event["now"] for event in owed if event["now"]})[:8]
        wire = []
        for event in owed:
            out = {name: value for name, value in event.items() if name != "now"}
            if event["now"] in clock:
                out["anchor"] = clock.index(event["now"])
            if event["seq"] in self.sent:
                out["again"] = True
            wire.append(out)
        newest: dict[str, str] = {}
        for seq, receipt in sorted(self.acked.items()):
            if seq not in self.durable:
                newest[receipt.split("-")[0]] = receipt
        return {
            "attempt": self.attempt,
            "events": wire,
            "clock": clock,
            "open": list(newest.values()),
            "controls": self.controls,
            "generation": self.generation,
        }

    async def save(self, path: str = "/v1/save", events: list[Reply] | None = None) -> Reply:
        """One save: send what is owed, take in what the reply says."""
        body = self.batch(events)
        seqs = [event["seq"] for event in body["events"]]
        self.sent |= set(seqs)
        reply = await self.call("POST", path, body)
        for seq in seqs:
            self.acked[seq] = reply.get("receipt", "")
        # Settled: set aside, never sent again; the next hand-in's hash knows of it.
        self.refused |= {one["seq"] for one in reply.get("refused", [])}
        self.durable |= self.refused
        for receipt, standing in zip(body["open"], reply.get("open", []), strict=True):
            self._settle(receipt, standing)
        for first, last in reply.get("missing", []):
            for seq in set(range(first, last + 1)) - self.refused:
                self.acked.pop(seq, None)
                self.durable.discard(seq)
        self._hear(reply)
        self.last = reply
        return reply

    def _settle(self, receipt: str, standing: str) -> None:
        stream, place = receipt.split("-", maxsplit=1)[0], _place(receipt)
        for seq, mine in list(self.acked.items()):
            if mine.split("-")[0] == stream and _place(mine) <= place:
                if standing == "durable":
                    self.durable.add(seq)
                elif standing == "again" and seq not in self.durable:
                    self.acked.pop(seq)

    def forget_acks(self) -> None:
        """What was not durable in time is sent again (rule 4)."""
        for seq in list(self.acked):
            if seq not in self.durable:
                self.acked.pop(seq)

    async def save_until_durable(self, limit_s: float = 20) -> None:
        """Save until everything in the log is in Postgres."""
        limit = time.monotonic() + limit_s
        while len(self.durable) < len(self.log):
            if time.monotonic() > limit:
                missing = sorted(set(range(1, len(self.log) + 1)) - self.durable)
                msg = f"not durable after {limit_s} s: {missing}"
                raise TimeoutError(msg)
            await self.save()
            await asyncio.sleep(0.1)

    def finish_event(self) -> Reply:
        """The finish event over the log as it stands."""
        return self.note("finish", value={"count": len(self.log), "hash": log_hash(self.log, self.refused)})

    def hand_in_again(self) -> bool:
        """A refusal heard after the hand-in changes its hash: hand in once more. True if that was so."""
        last = max(event["seq"] for event in self.log if event["kind"] == "finish")
        if self.log[last - 1]["value"]["hash"] == log_hash(self.log[: last - 1], self.refused):
            return False
        self.finish_event()
        return True

    async def finish(self, limit_s: float = 20) -> Reply:
        """Hand in and wait for the final receipt."""
        self.finish_event()
        await self.save("/v1/finish")
        limit = time.monotonic() + limit_s
        while "final" not in self.last:
            if time.monotonic() > limit:
                msg = f"no receipt after {limit_s} s: {self.last}"
                raise TimeoutError(msg)
            await asyncio.sleep(0.1)
            self.hand_in_again()
            await self.save()
        return self.last["final"]

    def _hear(self, reply: Reply) -> None:
        if "token" in reply:
            self.token = reply["token"]
        self.now, self.now_at = reply["now"], time.monotonic()
        self.generation = reply.get("generation", self.generation)
        if reply.get("controls"):
            self.controls = reply["controls"]["version"]


def _place(receipt: str) -> tuple[int, int]:
    _, id_ms, id_seq = receipt.split("-")
    return int(id_ms), int(id_seq)


def log_hash(log: list[Reply], refused: Container[int] = ()) -> str:
    """Hash of a log as docs/protocol.md defines it."""
    lines = [f"{event['seq']} refused - -\n" if event["seq"] in refused else _line(event) for event in log]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _line(event: Reply) -> str:
    value = json.dumps(event["value"]) if "value" in event else "-"
    return f"{event['seq']} {event['kind']} {event.get('item', '-')} {value}\n"
