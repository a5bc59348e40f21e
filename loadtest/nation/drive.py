"""The generator: plays candidates by schedule. Latency counts from when a request was due, so nothing can hide."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict, deque
from enum import IntEnum
from random import Random
from typing import TYPE_CHECKING

import msgspec

from loadtest.nation.candidate import Candidate, Log, decode_have, decode_heard, decode_told
from loadtest.nation.record import ROUTE, Record
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from loadtest.nation.candidate import Batch
    from loadtest.nation.courses import Course
    from loadtest.nation.scenario import Nation
    from loadtest.scene import BenchScene
    from loadtest.wire import Connection

TICK_S = 0.005
# What a person's player does after a failure: again soon, not together with the others.
AGAIN_S = (1.0, 5.0)
STUCK_S = 25.0
MADE_A_SECOND = 60_000


class Step(IntEnum):
    """What a candidate does next."""

    SIGN_IN = 0
    FETCH = 1
    KEY = 2
    SAVE = 3
    RESUME = 4
    HAVE = 5
    VISIT = 6


class ManifestFile(msgspec.Struct):
    """A file of a bundle."""

    name: str
    language: str


class Manifest(msgspec.Struct):
    """What is read of a manifest."""

    files: list[ManifestFile]


class Driver:
    """One generator. `t0` is the sitting's start on this process' `perf_counter`."""

    def __init__(
        self, nation: Nation, scene: BenchScene, courses: list[Course], pool: Pool, host: str, t0: float
    ) -> None:
        self.nation = nation
        self.record = Record()
        self._courses = courses
        self.pool = pool
        self._host = host
        self.begin = time.perf_counter()
        self.t0 = t0 - self.begin
        self._random = Random(nation.seed)
        # The newest slot of the wheel whose candidates were called.
        self._slot = 0
        self._wheel: defaultdict[int, list[Candidate]] = defaultdict(list)
        self._ready: deque[Candidate] = deque()
        self._flying: dict[Connection, float] = {}
        self._files: dict[str, list[bytes]] = {}
        self._language = "kk"
        self.stops_at = self.t0 + nation.minutes * 60
        # Nobody is due before all of them are made: those would wait for us, not for the server.
        self._first_s = self.now() + len(scene.seats) / MADE_A_SECOND
        self.candidates = [self._make(number, *seat) for number, seat in enumerate(scene.seats)]
        self.left = len(self.candidates)
        self._visits: list[bytes] = []
        self._visited = 0
        self._kept: deque[bytes] | None = None
        self.pool.on_idle = self._launch

    # ---- who they are ----

    def _make(self, number: int, attempt: int, code: str) -> Candidate:
        nation, random = self.nation, self._random
        course = number % len(self._courses)
        device = f"{random.getrandbits(128):032x}"
        log = Log(self.record.new_log(attempt, device, course, 0), device, 0)
        candidate = Candidate(number, attempt, code, self._courses[course], log)
        window = nation.minutes * 60
        if random.random() < nation.drops:
            start = self.t0 + random.uniform(0.05, 0.8) * window
            candidate.dark = (start, start + random.uniform(60, min(420, max(61.0, window / 2))))
        kind = random.random()
        if kind < nation.second_devices + nation.re_entries:
            candidate.switch = self.t0 + random.uniform(0.2, 0.8) * window
            candidate.switched = "other" if kind < nation.second_devices else "same"
        candidate.step = Step.SIGN_IN
        self._at(candidate, random.uniform(self._first_s, max(self._first_s, self.t0 - nation.calm_before_s)))
        return candidate

    # ---- the schedule ----

    def _at(self, candidate: Candidate, due: float) -> None:
        candidate.due = due
        # Never into a slot that has gone by: nobody would be called from there.
        self._wheel[max(self._slot, int(due / TICK_S)) + 1].append(candidate)

    def _later(self, candidate: Candidate, now: float) -> None:
        self._at(candidate, now + self._random.uniform(*AGAIN_S))

    def now(self) -> float:
        """Seconds since the begin."""
        return time.perf_counter() - self.begin

    async def run(self) -> None:
        """Until everybody has his final receipt, or so long after the end as the scenario says."""
        gc.collect()
        gc.freeze()
        gc.disable()
        swept = 0.0
        limit = self.stops_at + self.nation.settle_s
        try:
            while self.left and (now := self.now()) < limit:
                newest = int(now / TICK_S)
                self.record.ticks_late_ms.append((now - newest * TICK_S) * 1000 if self._slot else 0)
                for tick in range(self._slot + 1, newest + 1):
                    if tick in self._wheel:
                        self._ready.extend(self._wheel.pop(tick))
                self._slot = newest
                self._call_visitors(now)
                self._launch()
                if now - swept > 1:
                    swept = now
                    self._sweep(now)
                await asyncio.sleep(max(0.0, (newest + 1) * TICK_S - self.now()))
        finally:
            gc.enable()
            gc.unfreeze()

    def _sweep(self, now: float) -> None:
        """A request that nobody answers is given up; its pupil's player would do the same."""
        stuck = [connection for connection, since in self._flying.items() if now - since > STUCK_S]
        for connection in stuck:
            self.record.counts["given up"] += 1
            connection.abort()

    @property
    def waiting(self) -> int:
        """Requests that are due and have found no connection."""
        return len(self._ready)

    @property
    def flying(self) -> int:
        """Requests on their way."""
        return len(self._flying)

    @property
    def flying_connections(self) -> list[Connection]:
        """Connections with a request on its way."""
        return list(self._flying)

    def keep_sent(self, count: int) -> deque[bytes]:
        """Keep the newest saves as they went over the wire: for who wants to replay them."""
        self._kept = deque(maxlen=count)
        return self._kept

    def _launch(self) -> None:
        ready, idle = self._ready, self.pool.idle
        while ready and idle:
            self._begin(ready.popleft())

    def _send(self, candidate: Candidate, route: str, message: bytes, context: object = None) -> None:
        connection = self.pool.idle.pop()
        due, number = candidate.due, ROUTE[route]
        self._flying[connection] = self.now()

        def done(status: int, body: bytes) -> None:
            self._flying.pop(connection, None)
            if status:
                self.pool.idle.append(connection)
            now = self.now()
            if status == 200:
                self.record.answered(number, due, now - due)
            else:
                code = _problem(body) if status else "connection lost"
                self.record.refusals[route, status, code] += 1
            self._hear(candidate, route, status, body, now, context, connection.retry_after_s)
            if self._ready:
                self._launch()

        connection.send(message, done)

    # ---- what they do ----

    def _begin(self, candidate: Candidate) -> None:
        match candidate.step:
            case Step.SAVE:
                self._save(candidate)
            case Step.SIGN_IN:
                body = b'{"code":"%s","day":14,"month":3,"device":"%s","agent":"nation"}' % (
                    candidate.code.encode(),
                    candidate.log.device.encode(),
                )
                self._send(candidate, "sign-in", self._post("/v1/sign-in", body, ""))
            case Step.FETCH:
                name = candidate.waits[0]
                path = f"/v1/bundles/{name.decode()}"
                kind = "manifest" if candidate.manifest == name.decode() else "file"
                self._send(candidate, kind, request("GET", self._host, path, b""), name)
            case Step.KEY:
                self._send(candidate, "key", self._post("/v1/key", b"", candidate.token))
            case Step.RESUME:
                body = b'{"device":"%s"}' % candidate.log.device.encode()
                self._send(candidate, "resume", self._post("/v1/resume", body, candidate.token))
            case Step.HAVE:
                body = b'{"device":"%s"}' % candidate.log.device.encode()
                self._send(candidate, "have", self._post("/v1/have", body, candidate.token))
            case _:
                path = candidate.waits[0].decode()
                self._send(candidate, "visit", request("GET", self._host, path, b""))

    def _post(self, path: str, body: bytes, token: str) -> bytes:
        return request("POST", self._host, path, body, token)

    def _save(self, candidate: Candidate) -> None:
        now = self.now()
        log = candidate.log
        if candidate.switched and now >= candidate.switch and not log.finish:
            self._come_back(candidate, now)
            return
        finish = now >= self.stops_at and not log.finish and not candidate.idle
        batch = candidate.save_body(now, finish=finish)
        if finish:
            self.record.finishes[log.number] = log.finish
        path = "/v1/finish" if batch.finish else "/v1/save"
        message = self._post(path, batch.body, candidate.token)
        if self._kept is not None:
            self._kept.append(message)
        self._send(candidate, path[4:], message, batch)

    def _come_back(self, candidate: Candidate, now: float) -> None:
        """The browser crashed (same log), or another phone takes over (a new log)."""
        if candidate.switched == "other":
            # The phone that died comes to itself later and sends what it owes.
            old = candidate.put_away()
            old.step = Step.SAVE
            self.left += 1
            self._at(old, now + self._random.uniform(1, 2) * self.nation.save_every_s)
            device = f"{self._random.getrandbits(128):032x}"
            offset = candidate.log.offset + candidate.log.sent
            course = candidate.number % len(self._courses)
            number = self.record.new_log(candidate.attempt, device, course, offset)
            candidate.log = Log(number, device, offset)
        candidate.switched = ""
        candidate.step = Step.SIGN_IN
        candidate.due = now
        self._ready.append(candidate)
        self.record.counts["came back"] += 1

    # ---- what they hear ----

    def _hear(
        self, candidate: Candidate, route: str, status: int, body: bytes, now: float, context: object, retry_s: int
    ) -> None:
        if route in {"save", "finish"}:
            self._heard_save(candidate, status, body, now, context, retry_s)  # type: ignore[arg-type]
            return
        if route == "visit":
            return
        if status != 200:
            candidate.tries += 1
            self._at(candidate, now + retry_s + self._random.uniform(*AGAIN_S))
            return
        candidate.tries = 0
        match route:
            case "sign-in":
                self._signed_in(candidate, body, now)
            case "manifest":
                self._fetched_manifest(candidate, body, now)
            case "file":
                candidate.waits.pop(0)
                self._fetch_next(candidate, now)
            case "key":
                told = decode_told(body)
                candidate.token = told.token
                candidate.hear(told.now, now)
                candidate.started = now
                candidate.step = Step.SAVE
                # The first save comes within the first rhythm, so that 300 000 first saves are spread as all others.
                self._at(candidate, now + self._random.uniform(0.3, 1.0) * self.nation.save_every_s)
            case "resume":
                self._resumed(candidate, body, now)
            case _:
                have = decode_have(body)
                candidate.generation = have.generation
                candidate.send_what_lacks(have.have)
                candidate.step = Step.SAVE
                self._at(candidate, now)

    def _signed_in(self, candidate: Candidate, body: bytes, now: float) -> None:
        told = decode_told(body)
        candidate.token, candidate.manifest = told.token, told.manifest
        candidate.generation = told.generation
        candidate.hear(told.now, now)
        if candidate.started:
            candidate.step = Step.RESUME
            self._at(candidate, now)
        elif self.nation.prefetch:
            candidate.waits = [told.manifest.encode()]
            candidate.step = Step.FETCH
            self._at(candidate, now)
        else:
            self._wait_for_key(candidate, now)

    def _fetched_manifest(self, candidate: Candidate, body: bytes, now: float) -> None:
        if candidate.manifest not in self._files:
            files = msgspec.json.decode(body, type=Manifest).files
            self._files[candidate.manifest] = [
                file.name.encode() for file in files if file.language in {"", self._language}
            ]
        candidate.waits = list(self._files[candidate.manifest])
        self._fetch_next(candidate, now)

    def _fetch_next(self, candidate: Candidate, now: float) -> None:
        if candidate.waits:
            self._at(candidate, now)
        else:
            self._wait_for_key(candidate, now)

    def _wait_for_key(self, candidate: Candidate, now: float) -> None:
        candidate.step = Step.KEY
        share = self._random.random()
        self._at(candidate, max(now, self.t0 + 0.05 + share * self.nation.spread_s))

    def _resumed(self, candidate: Candidate, body: bytes, now: float) -> None:
        told = decode_told(body)
        candidate.token = told.token
        candidate.hear(told.now, now)
        if not told.complete:
            self.record.counts["re-entry incomplete"] += 1
        candidate.step = Step.SAVE
        self._at(candidate, now + self._random.uniform(0.2, 1.0) * self.nation.save_every_s)

    def _heard_save(
        self, candidate: Candidate, status: int, body: bytes, now: float, batch: Batch, retry_s: int
    ) -> None:
        log = candidate.log
        if status != 200:
            candidate.lost(batch)
            self._at(candidate, now + retry_s + self._random.uniform(*AGAIN_S))
            return
        if self.nation.lost_acks and self._random.random() < self.nation.lost_acks:
            # The answer is lost on the way: the pupil knows nothing of it.
            self.record.counts["answers lost on the way"] += 1
            candidate.lost(batch)
            self._later(candidate, now)
            return
        heard = decode_heard(body)
        if batch.ranges and heard.receipt:
            self.record.acknowledged(log, batch.ranges, now)
        if heard.refused:
            self.record.counts["events refused"] += len(heard.refused)
        candidate.settle(batch, heard, now)
        if heard.generation > candidate.generation:
            candidate.step = Step.HAVE
            self._at(candidate, now)
        elif candidate.idle:
            self._rest(candidate, now)
        elif log.finish:
            self._wait_for_receipt(
                candidate, heard.final is not msgspec.UNSET, candidate.asks_again_s(batch, heard), now
            )
        else:
            self._next_save(candidate, now)

    def _wait_for_receipt(self, candidate: Candidate, final: bool, wait_s: float, now: float) -> None:  # noqa: FBT001
        # The receipt says that Postgres holds the whole log, whatever was heard of its parts.
        if final:
            candidate.done = True
            self.left -= 1
            self.record.counts["final receipts"] += 1
            return
        self._at(candidate, now + wait_s * self._random.uniform(0.8, 1.2))

    def _rest(self, candidate: Candidate, now: float) -> None:
        if candidate.clear:
            candidate.done = True
            self.left -= 1
            return
        self._at(candidate, now + self.nation.save_every_s * self._random.uniform(0.8, 1.2))

    def _next_save(self, candidate: Candidate, now: float) -> None:
        every = self.nation.save_every_s
        due = candidate.due + every * self._random.uniform(0.8, 1.2)
        if due < now:
            due = now + self._random.uniform(0, 1)
        dark = candidate.dark
        if dark and dark[0] <= due < dark[1]:
            due = dark[1] + self._random.uniform(0, 5)
        # At the bell all hand in, spread over what the player spreads it over; whose last save came back later, at once.
        if due > self.stops_at:
            due = max(now, self.stops_at + self._random.uniform(0, self.nation.hand_in_s))
        self._at(candidate, due)

    # ---- uninvited visitors ----

    def invite(self, paths: list[str]) -> None:
        """Let visitors come: each asks for all of these pages, by an even rate over the sitting."""
        self._visits = [path.encode() for path in paths]

    def _call_visitors(self, now: float) -> None:
        if not self._visits or not self.t0 <= now < self.stops_at:
            return
        total = self.nation.visitors * len(self.candidates)
        due = int((now - self.t0) / (self.stops_at - self.t0) * total)
        while self._visited < due:
            at = self.t0 + self._visited / total * (self.stops_at - self.t0)
            self._visited += 1
            for path in self._visits:
                visitor = Candidate(-1, 0, "", self._courses[0], self.candidates[0].log)
                visitor.step, visitor.due, visitor.waits = Step.VISIT, at, [path]
                self._ready.append(visitor)


def _problem(body: bytes) -> str:
    return _fact(body, b'"code":"', b'"').decode(errors="replace")


def _fact(body: bytes, before: bytes, after: bytes) -> bytes:
    at = body.find(before)
    if at < 0:
        return b""
    at += len(before)
    end = body.find(after, at)
    return body[at:] if end < 0 else body[at:end]
