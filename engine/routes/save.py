"""POST /v1/save and /v1/finish: the heart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from engine.problems import Problem
from engine.protocol import MAX_BODY_BYTES, Kind, Mark, SaveRecord, SaveReply, StoredEvent
from engine.records import read_save, stored_events, tombstones
from engine.routes.http import JSON, compressed, encode
from engine.timing import deadline_ms
from engine.tokens import Claims, expiry_s

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.board import Board
    from engine.protocol import Refused, Save
    from engine.roster import Pupil, Sitting
    from engine.worker import Worker

FINISH = "finish"
# Found in the bytes, so that the many saves without a report are not looked through for one.
REPORT = b'"report"'
# How soon a player asks again while its receipt is being made; when a nation hands in at once, as late as the line of
# those who wait needs, so that asking does not cost more than making them.
FINISHING_S = 3
# Below the 120 s after which a phone sends again what it has no word of: a nation would send its last answers twice.
FINISHING_AT_MOST_S = 90
SEALS_A_SECOND = 1500


class _Everything:
    """Stands for the items of a sitting that this worker does not know (yet): nothing is marked unknown then."""

    def __contains__(self, _item: object) -> bool:
        return True


EVERYTHING = _Everything()


async def save(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """200 promises: on disk in the stream. What is in Postgres, the reply says by receipt.

    An expired token of a kept key is accepted: nothing an honest child did is refused for good (rule 7).
    """
    claims = worker.tokens.verify(scope.headers.get("authorization"))
    if claims is None:
        raise Problem("token-rejected")
    if rest_s := worker.limits.admit(claims):
        await asyncio.sleep(rest_s)
    body = await worker.reads.body(scope, proto, MAX_BODY_BYTES)
    batch, refused = read_batch(scope, body)
    proto.response_bytes(200, JSON, encode(await keep(worker, claims, batch, refused, body)))


async def finish(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """As save, but the batch must end in a finish event. The final receipt comes with a later reply."""
    claims = worker.tokens.verify(scope.headers.get("authorization"))
    if claims is None:
        raise Problem("token-rejected")
    if rest_s := worker.limits.admit(claims):
        await asyncio.sleep(rest_s)
    body = await worker.reads.body(scope, proto, MAX_BODY_BYTES)
    batch, refused = read_batch(scope, body)
    newest = max(batch.events, key=lambda event: event.seq, default=None)
    if newest is None or newest.kind != FINISH:
        raise Problem("finish-missing")
    proto.response_bytes(200, JSON, encode(await keep(worker, claims, batch, refused, body)))


def read_batch(scope: Scope, body: bytes) -> tuple[Save, list[Refused]]:
    """The batch of a body; what can't be read may have been compressed, and then that is what the sender hears."""
    try:
        return read_save(body)
    except Problem as problem:
        raise (compressed(scope) or problem) from problem


async def keep(worker: Worker, claims: Claims, batch: Save, refused: list[Refused], body: bytes) -> SaveReply:
    """Store a batch and say what is known; the one wait is for the group's XADD (and for the count of reports)."""
    if batch.attempt != claims.attempt:
        raise Problem("attempt-foreign")
    board = worker.board
    sitting = worker.roster.sittings.get(claims.sitting)
    now_ms, now = worker.stamp(sitting)
    items = worker.roster.items.get(claims.sitting, EVERYTHING)
    events = stored_events(batch, refused, worker.times, items, now_ms)
    if events or refused:
        worker.limits.require_room(claims)
        if REPORT in body:
            events = await worker.limits.take_reports(claims, events, refused)
    if refused:
        events += tombstones(refused, events)
    superseded = board.is_superseded(claims.attempt, claims.device)
    reply = SaveReply(
        now_ms=now_ms,
        now=now,
        generation=board.generation,
        next_save_s=worker.settings.next_save_s,
        room=worker.settings.save_room,
        superseded=superseded,
    )
    if events:
        if superseded:
            events = [marked(event, Mark.SUPERSEDED) for event in events]
        record = SaveRecord(
            *(claims.sitting, claims.attempt, claims.device, now_ms, claims.started_ms, events), claims.leg
        )
        ack = await worker.commits.join(record)
        reply.receipt = ack.receipt
        worker.limits.spend(claims, len(events), len(body))
    if refused:
        reply.refused = refused
    if batch.open:
        reply.open = [standing(board, receipt) for receipt in batch.open]
    pupil = worker.roster.pupils.get(claims.attempt)
    if pupil is not None and sitting is not None:
        _tell_time(worker, claims, pupil, sitting, batch.controls, reply)
    _tell_finish(board, claims, events, reply)
    return reply


def marked(event: StoredEvent, mark: Mark) -> StoredEvent:
    """The event with one mark more."""
    return StoredEvent(
        *(
            event.seq,
            event.kind,
            event.item,
            event.value,
            event.anchor_ms,
            event.since_ms,
            event.marks | mark,
            event.again,
        )
    )


def standing(board: Board, receipt: str) -> Literal["durable", "wait", "again"]:
    """What has become of a receipt. One that we cannot read was never ours: send again."""
    stream, _, entry = receipt.partition("-")
    id_ms, _, id_seq = entry.partition("-")
    try:
        number, place = int(stream), (int(id_ms), int(id_seq))
    except ValueError:
        return "again"
    if board.is_durable(number, *place):
        return "durable"
    return "again" if number in board.closed else "wait"


def _tell_time(worker: Worker, claims: Claims, pupil: Pupil, sitting: Sitting, version: int, reply: SaveReply) -> None:
    """Newer controls, and a new token where they or an earlier start move the deadline."""
    board = worker.board
    reply.controls = board.newer_controls(pupil, worker.roster, version)
    # Two devices may have got the key within a moment, each with a start of its own: the first release stands (rule 9).
    known = board.started[claims.leg].get(claims.attempt, claims.started_ms)
    if reply.controls is not None and reply.controls.items:
        reply.next_save_s = min(reply.next_save_s, 5)
    elif (claims.started_ms and known >= claims.started_ms) or not known:
        return
    clock = board.attempt_clock(pupil, worker.roster, claims)
    deadline = deadline_ms(sitting.clock, clock)
    moved = deadline is not None and clock.started_ms and deadline != claims.deadline_ms
    if moved:
        reply.started_ms, reply.deadline_ms = clock.started_ms, deadline
    # A stopped sitting goes on tomorrow: the token must live till then, or nobody who stays signed in gets the key.
    expires_s = claims.expires_s if reply.superseded else max(claims.expires_s, expiry_s(sitting.clock, clock))
    if moved or expires_s > claims.expires_s:
        reply.token = worker.tokens.sign(
            Claims(
                *(claims.attempt, claims.sitting, claims.extra_s, expires_s, clock.started_ms or 0, deadline or 0),
                *(claims.device, clock.leg),
            )
        )


def _tell_finish(board: Board, claims: Claims, events: list[StoredEvent], reply: SaveReply) -> None:
    if any(event.kind == Kind.FINISH for event in events):
        reply.next_save_s = min(FINISHING_AT_MOST_S, max(FINISHING_S, board.unsealed // SEALS_A_SECOND))
    reply.final = board.seals.get(claims.attempt)
    missing = board.missing.get(claims.attempt)
    if missing is not None and missing.device == claims.device:
        reply.missing = missing.ranges
