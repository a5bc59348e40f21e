"""POST /v1/key: 32 bytes a section and language, not a millisecond before T0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.problems import Problem
from engine.protocol import Help, KeyReply, StartRecord
from engine.routes.http import JSON, encode, live_claims, whose
from engine.timing import Phase, deadline_ms, phase, times_of
from engine.tokens import Claims

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

RUNNING = (Phase.OPEN, Phase.RUNNING, Phase.EXTRA)


async def release(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """The keys, the seed, and a token that carries the start. Nothing is written before the answer.

    The start travels three ways to Postgres, and the earliest stands: this record, the token of every later save, and
    the player's own first event.
    """
    claims = live_claims(worker, scope)
    pupil, sitting = await whose(worker, claims)
    board = worker.board
    now_ms = worker.release_ms(sitting)
    attempt = board.attempt_clock(pupil, worker.roster, claims)
    at = phase(now_ms, sitting.clock, attempt).phase
    if at in {Phase.CLOSED, Phase.WAITING, Phase.PAUSED}:
        starts_ms = times_of(sitting.clock, attempt).starts_ms
        wait_ms = max(1000, starts_ms - now_ms)
        raise Problem("too-early", retry_after_s=-(-wait_ms // 1000), starts_ms=starts_ms, now_ms=now_ms)
    if at is Phase.ENTRY_CLOSED:
        raise Problem("entry-closed", help=Help(sitting.help_name, sitting.help_phone))
    if at not in RUNNING:
        raise Problem("sitting-over")
    started = attempt.started_ms or now_ms
    deadline = deadline_ms(sitting.clock, msgspec.structs.replace(attempt, started_ms=started))
    assert deadline is not None
    token = worker.tokens.sign(
        Claims(
            *(claims.attempt, claims.sitting, attempt.extra_s, claims.expires_s, started, deadline, claims.device),
            attempt.leg,
        )
    )
    reply = KeyReply(
        keys=worker.keys.released(sitting.forms[attempt.leg]),
        seed=worker.seed(pupil),
        token=token,
        started_ms=started,
        deadline_ms=deadline,
        now_ms=now_ms,
        now=worker.times.sign(now_ms),
        watch=worker.watch(pupil, sitting, claims.expires_s, claims.device),
    )
    proto.response_bytes(200, JSON, encode(reply))
    board.hear_started(claims.attempt, started, attempt.leg)
    worker.commits.join(StartRecord(claims.sitting, claims.attempt, claims.device, started, attempt.leg))
