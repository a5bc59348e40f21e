"""POST /v1/resume and /v1/have: what Postgres holds of an attempt. Cold routes; they may read."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from redis.exceptions import RedisError

from engine.problems import Problem
from engine.protocol import CONTROL_STREAM, DeviceBody, Have, Help, Kind, Resumed, ResumedAnswer, ResumedDevice
from engine.routes.http import JSON, bounded_body, encode, live_claims, read_body, whose
from engine.timing import deadline_ms
from engine.tokens import Claims
from infra.valkey import clock_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

decoder = msgspec.json.Decoder(DeviceBody)
WAIT_S = 5.0
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class KeptEvent(msgspec.Struct, frozen=True, gc=False):
    """An event in the order that counts: device epoch, then seq (rule 8)."""

    seq: int
    kind: int
    item: int | None
    value: str | None


class Standing(msgspec.Struct, frozen=True):
    """What a log comes to."""

    answers: dict[str, ResumedAnswer]
    marked: list[int]
    place: int | None
    language: str | None


async def resume(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """Where the pupil was, from whatever device. Waits at most 5 s for what is still on its way to Postgres."""
    claims = live_claims(worker, scope)
    asked = read_body(decoder, await bounded_body(worker, scope, proto, 2048))
    device = bytes.fromhex(asked.device)
    if device != claims.device:
        raise Problem("token-rejected")
    if worker.board.is_superseded(claims.attempt, device):
        # Who was replaced reads nothing new: a stranger saw what his own entries showed, and no more (SAFETY J4).
        raise Problem("device-held", help=_help(worker, claims))
    pupil, sitting = await whose(worker, claims)
    complete = await all_is_durable(worker, WAIT_S)
    assert worker.pool is not None
    try:
        async with worker.pool.acquire(timeout=5) as db:
            rows = await db.fetch(EVENTS, claims.sitting, claims.attempt)
            devices = await db.fetch(DEVICES, claims.sitting, claims.attempt)
            started = await db.fetchrow(STARTED, claims.attempt)
    except AWAY as error:
        raise Problem("try-later", retry_after_s=2) from error
    for leg in (0, 1):
        if started is not None and started[leg] is not None:
            worker.board.hear_started(claims.attempt, started[leg], leg)
    clock = worker.board.attempt_clock(pupil, worker.roster, claims)
    deadline = deadline_ms(sitting.clock, clock)
    # After a restart the answers to the stopped form are kept, and no part of what the pupil sits now.
    items = worker.roster.items_of_form(sitting.forms[clock.leg])
    stands = standing(
        KeptEvent(row["seq"], row["kind"], row["item"], row["value"])
        for row in rows
        if clock.leg == 0 or row["item"] is None or row["item"] in items
    )
    now_ms, now = worker.stamp(sitting)
    reply = Resumed(
        complete=complete,
        answers=stands.answers,
        marked=stands.marked,
        place=stands.place,
        language=stands.language,
        devices=[
            ResumedDevice(
                epoch=row["epoch"], events=row["events"], newest_ms=row["newest_ms"], this=row["device"].bytes == device
            )
            for row in devices
        ],
        started_ms=clock.started_ms,
        deadline_ms=deadline,
        token=worker.tokens.sign(
            Claims(
                *(claims.attempt, claims.sitting, clock.extra_s, claims.expires_s),
                *(clock.started_ms or 0, deadline or 0, device, clock.leg),
            )
        ),
        now_ms=now_ms,
        now=now,
        final=worker.board.seals.get(claims.attempt),
    )
    proto.response_bytes(200, JSON, encode(reply))


def _help(worker: Worker, claims: Claims) -> Help:
    sitting = worker.roster.sittings.get(claims.sitting)
    return Help(sitting.help_name, sitting.help_phone) if sitting else Help("", "")


async def have(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """Which seqs of this device Postgres holds, as closed ranges (rule 6)."""
    claims = worker.tokens.verify(scope.headers.get("authorization"))
    if claims is None:
        raise Problem("token-rejected")
    asked = read_body(decoder, await bounded_body(worker, scope, proto, 2048))
    assert worker.pool is not None
    try:
        async with worker.pool.acquire(timeout=5) as db:
            rows = await db.fetch(RANGES, claims.sitting, claims.attempt, asked.device)
    except AWAY as error:
        raise Problem("try-later", retry_after_s=2) from error
    proto.response_bytes(
        200, JSON, encode(Have(worker.board.generation, [(row["first"], row["last"]) for row in rows]))
    )


async def all_is_durable(worker: Worker, limit_s: float) -> bool:
    """Wait until the flusher has passed «now» by Valkey's clock; False after the limit, or when nobody can say."""
    try:
        now_ms = await clock_ms(worker.valkey, CONTROL_STREAM)
    except (RedisError, OSError):
        return False
    limit = time.monotonic() + limit_s
    while worker.board.passed_ms <= now_ms:
        if time.monotonic() > limit:
            return False
        await asyncio.sleep(0.02)
    return True


def standing(events: Iterable[KeptEvent]) -> Standing:
    """Fold a log, given in the order that counts, into what the pupil sees."""
    answers: dict[str, ResumedAnswer] = {}
    marked: dict[int, None] = {}
    place: int | None = None
    language: str | None = None
    for event in events:
        match event.kind:
            case Kind.ANSWER if event.item is not None and event.value is not None:
                answers[str(event.item)] = ResumedAnswer(msgspec.Raw(event.value.encode()), event.seq)
            case Kind.VIEW:
                place = event.item
            case Kind.MARK if event.item is not None:
                marked[event.item] = None
            case Kind.UNMARK if event.item is not None:
                marked.pop(event.item, None)
            case Kind.LANGUAGE if event.value is not None:
                language = msgspec.json.decode(event.value, type=str)
            case _:
                pass
    return Standing(answers, list(marked), place, language)


EVENTS = """
    select e.seq, e.kind, e.item, e.value
    from response_event e
    left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
    where e.sitting_id = $1 and e.attempt_id = $2 and e.kind in (1, 2, 3, 4, 7)
    order by coalesce(d.epoch, 0), e.seq
"""

DEVICES = """
    select d.device, d.epoch, count(e.seq)::int as events, max(e.received_ms) as newest_ms
    from attempt_device d
    left join response_event e on e.sitting_id = $1 and e.attempt_id = d.attempt_id and e.device = d.device
    where d.attempt_id = $2
    group by d.device, d.epoch
    order by d.epoch
"""

STARTED = """
    select (extract(epoch from started_at) * 1000)::bigint, (extract(epoch from restarted_at) * 1000)::bigint
    from attempt
    where id = $1
"""

# Gaps and islands: seq minus its rank is constant within a run.
RANGES = """
    select min(seq) as first, max(seq) as last
    from (
        select seq, seq - row_number() over (order by seq) as run
        from response_event
        where sitting_id = $1 and attempt_id = $2 and device = $3::text::uuid
    ) numbered
    group by run
    order by first
"""
