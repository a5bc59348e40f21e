"""A simulated candidate: his log, what he owes, what he has heard. By the rules of docs/protocol.md, without any I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from loadtest.nation.courses import Course

AGAIN_AFTER_S = 120.0
RECEIPT_LAST_S = 60.0
MAX_EVENTS = 200
ROOM = 20


class Heard(msgspec.Struct, kw_only=True):
    """What a simulated candidate reads of a save's reply."""

    now: str
    generation: int = 1
    next_save_s: int = 30
    receipt: str | None = None
    open: list[str] | None = None
    refused: list[msgspec.Raw] | None = None
    token: str | None = None
    missing: list[tuple[int, int]] | None = None
    final: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    superseded: bool = False


class Told(msgspec.Struct, kw_only=True):
    """What he reads of a sign-in, of the keys and of a re-entry."""

    now: str
    token: str
    attempt: int = 0
    manifest: str = ""
    generation: int = 1
    complete: bool = True
    answers: dict[str, msgspec.Raw] | None = None


class Have(msgspec.Struct):
    """Which seqs the server holds after a restore."""

    generation: int
    have: list[tuple[int, int]]


decode_heard = msgspec.json.Decoder(Heard).decode
decode_told = msgspec.json.Decoder(Told).decode
decode_have = msgspec.json.Decoder(Have).decode
Range = tuple[int, int]


def merged(ranges: list[Range]) -> list[Range]:
    """The same numbers in rising ranges that do not touch."""
    if len(ranges) < 2:
        return ranges
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


class Open:
    """A receipt that is not durable yet, and which seqs it stands for."""

    __slots__ = ("at", "ranges", "receipt", "stream")

    def __init__(self, receipt: str, ranges: list[Range], at: float) -> None:
        self.receipt = receipt
        self.stream = receipt.partition("-")[0]
        self.ranges = ranges
        self.at = at


class Log:
    """The log of one device: event `seq` is event `offset + seq - 1` of the course."""

    __slots__ = ("device", "finish", "number", "offset", "open", "owed", "sent", "settled")

    def __init__(self, number: int, device: str, offset: int) -> None:
        self.number = number
        self.device = device
        self.offset = offset
        self.sent = 0
        self.finish = 0
        # Ranges that were sent without an answer, or are to be sent again.
        self.owed: list[Range] = []
        self.open: list[Open] = []
        self.settled = 0


class Batch:
    """A save on its way."""

    __slots__ = ("body", "finish", "opened", "ranges")

    def __init__(self, body: bytes, ranges: list[Range], opened: dict[str, str], *, finish: bool) -> None:
        self.body = body
        self.ranges = ranges
        # stream → the receipt that was asked for
        self.opened = opened
        self.finish = finish


class Candidate:
    """One pupil. Times are seconds of the run's clock; `started` is the moment of his key."""

    __slots__ = (
        *(
            "anchor",
            "anchor_at",
            "attempt",
            "code",
            "course",
            "dark",
            "done",
            "due",
            "generation",
            "idle",
            "log",
            "late",
        ),
        *(
            "manifest",
            "number",
            "receipt_s",
            "skew_ms",
            "started",
            "step",
            "switch",
            "switched",
            "token",
            "tries",
            "waits",
        ),
    )

    def __init__(self, number: int, attempt: int, code: str, course: Course, log: Log) -> None:
        self.number = number
        self.attempt = attempt
        self.code = code
        self.course = course
        self.log = log
        self.token = ""
        self.anchor = ""
        self.anchor_at = 0.0
        self.started = 0.0
        self.generation = 1
        self.manifest = ""
        self.step = 0
        self.due = 0.0
        # When he asks for his final receipt, since he was told last.
        self.receipt_s = 0.0
        self.tries = 0
        self.late = 0
        self.done = False
        # Part of the run in which his line is gone; when he changes the device (or comes back on the same one).
        self.dark: tuple[float, float] | None = None
        self.switch = 0.0
        self.switched = ""
        # Where he waits and what for: set by whoever drives him.
        self.waits: list[bytes] = []
        # A phone that was put away: it writes nothing new and only sends what it still owes.
        self.idle = False
        # How far his phone's clock is off.
        self.skew_ms = 0

    def put_away(self) -> Candidate:
        """The phone that he leaves for another one, with the log as it is."""
        old = Candidate(self.number, self.attempt, self.code, self.course, self.log)
        old.token, old.started, old.generation = self.token, self.started, self.generation
        old.anchor, old.anchor_at, old.skew_ms = self.anchor, self.anchor_at, self.skew_ms
        old.idle = True
        return old

    def hear(self, now: str, at: float) -> None:
        """The newest signed time of the server, heard at `at`."""
        self.anchor, self.anchor_at = now, at

    def save_body(self, at: float, *, finish: bool = False) -> Batch:
        """What is owed and what happened until `at`; `finish` ends the log (it is over then)."""
        log = self.log
        events: list[bytes] = []
        ranges: list[Range] = []
        room = ROOM
        if log.open and at - log.open[0].at > AGAIN_AFTER_S:
            self._give_up_waiting(at)
        if log.owed:
            rest: list[Range] = []
            for first, last in merged(log.owed):
                if room <= 0:
                    rest.append((first, last))
                    continue
                upto = min(last, first + room - 1)
                self._render(events, first, upto, b',"again":true')
                ranges.append((first, upto))
                room -= upto - first + 1
                if upto < last:
                    rest.append((upto + 1, last))
            log.owed = rest
        if not log.finish and not self.idle:
            self._add_new(events, ranges, at, finish=finish)
        opened = {one.stream: one.receipt for one in log.open[-16:]}
        receipts = ",".join([f'"{receipt}"' for receipt in opened.values()])
        body = b'{"attempt":%d,"clock":["%s"],"generation":%d,"controls":0,"open":[%s],"events":[%s]}' % (
            *(self.attempt, self.anchor.encode(), self.generation, receipts.encode(), b",".join(events)),
        )
        return Batch(body, ranges, opened, finish=bool(log.finish) and bool(ranges) and ranges[-1][1] == log.finish)

    def _add_new(self, events: list[bytes], ranges: list[Range], at: float, *, finish: bool) -> None:
        log, times = self.log, self.course.at
        first = seq = log.sent + 1
        place = log.offset + log.sent
        since = at - self.started
        last = min(len(times), place + MAX_EVENTS - 1 - len(events))
        while place < last and times[place] <= since:
            place += 1
        seq += place - log.offset - log.sent
        if seq > first:
            self._render(events, first, seq - 1, b"")
        if finish:
            log.finish = seq
            self._render(events, seq, seq, b"")
            seq += 1
        if seq > first:
            ranges.append((first, seq - 1))
            log.sent = seq - 1

    def _render(self, events: list[bytes], first: int, last: int, again: bytes) -> None:
        log, course = self.log, self.course
        anchored = self.anchor_at - self.started
        for seq in range(first, last + 1):
            place = log.offset + seq - 1
            if seq == log.finish:
                head = b',"kind":"finish","value":{"count":%d,"hash":"%s"},"anchor":0' % (
                    seq - 1,
                    course.digest(log.offset, seq - 1).encode(),
                )
                ms = 0
            else:
                head = course.heads[place]
                ms = max(0, int((course.at[place] - anchored) * 1000)) + self.skew_ms
            events.append(b'{"seq":%d%s%s,"ms":%d}' % (seq, head, again, ms))

    def _give_up_waiting(self, at: float) -> None:
        """What is not durable two minutes after its acknowledgement is sent again, whatever the server says."""
        log = self.log
        kept: list[Open] = []
        for one in log.open:
            if at - one.at > AGAIN_AFTER_S:
                log.owed += one.ranges
            else:
                kept.append(one)
        log.open = kept

    def lost(self, batch: Batch) -> None:
        """No answer came: all of it is owed."""
        self.log.owed += batch.ranges

    def settle(self, batch: Batch, heard: Heard, at: float) -> None:
        """Take in a reply: what it stored, what became of open receipts, what is missing."""
        log = self.log
        if heard.open:
            for (stream, receipt), standing in zip(batch.opened.items(), heard.open, strict=False):
                if standing != "wait":
                    self._close(stream, receipt, durable=standing == "durable")
                elif any(one.receipt == receipt and at - one.at > AGAIN_AFTER_S for one in log.open):
                    self.late += 1
        if batch.ranges:
            if heard.receipt:
                log.open.append(Open(heard.receipt, batch.ranges, at))
            else:
                log.owed += batch.ranges
        if heard.missing:
            self._send_missing(heard.missing)
        if heard.token:
            self.token = heard.token
        self.hear(heard.now, at)

    def _close(self, stream: str, receipt: str, *, durable: bool) -> None:
        """All receipts of a stream up to this one are settled together."""
        log = self.log
        kept: list[Open] = []
        reached = False
        for one in log.open:
            if one.stream != stream or reached:
                kept.append(one)
                continue
            reached = one.receipt == receipt
            if durable:
                log.settled += sum(last - first + 1 for first, last in one.ranges)
            else:
                log.owed += one.ranges
        log.open = kept

    def _send_missing(self, missing: list[Range]) -> None:
        waiting = [each for one in self.log.open for each in one.ranges] + self.log.owed
        for first, last in missing:
            if not any(begin <= last and first <= end for begin, end in waiting):
                self.log.owed.append((first, min(last, self.log.sent)))

    def send_what_lacks(self, have: list[Range]) -> None:
        """After a restore: everything sent that Postgres does not hold is owed again."""
        log = self.log
        log.open, log.owed = [], []
        at = 1
        for first, last in [*sorted(have), (log.sent + 1, log.sent + 1)]:
            if first > at:
                log.owed.append((at, min(first - 1, log.sent)))
            at = max(at, last + 1)
        log.owed = [(first, last) for first, last in log.owed if first <= last]

    def asks_again_s(self, batch: Batch, heard: Heard) -> float:
        """In how many seconds who has handed in asks for his receipt: as he was told, then ever later."""
        if batch.finish:
            self.receipt_s = heard.next_save_s
        elif heard.missing:
            self.receipt_s = 3.0
        else:
            self.receipt_s = max(self.receipt_s, min(RECEIPT_LAST_S, 1.5 * self.receipt_s))
        return self.receipt_s

    @property
    def clear(self) -> bool:
        """Nothing is owed and nothing is open."""
        return not self.log.owed and not self.log.open
