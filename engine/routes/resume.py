"""POST /v1/resume and /v1/have: what Postgres holds of an attempt. Cold routes; they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.problems import Problem
from engine.protocol import DeviceBody, Have, Help, Kind, Resumed, ResumedAnswer, ResumedDevice
from engine.routes.http import JSON, encode, live_claims, read_body, whose
from engine.timing import deadline_ms
from engine.tokens import Claims
from infra.database import AWAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.kept import KeptEvent
    from engine.worker import Worker

decoder = msgspec.json.Decoder(DeviceBody)


class Standing(msgspec.Struct, frozen=True):
    """What a log comes to."""

    answers: dict[str, ResumedAnswer]
    marked: list[int]
    place: int | None
    language: str | None


async def resume(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """Where the pupil was, from whatever device. Waits at most 5 s for what is still on its way to Postgres."""
    claims = live_claims(worker, scope)
    asked = read_body(scope, decoder, await worker.reads.body(scope, proto, 2048))
    device = bytes.fromhex(asked.device)
    if device != claims.device:
        raise Problem("token-rejected")
    if worker.board.is_superseded(claims.attempt, device):
        # Who was replaced reads nothing new: a stranger saw what his own entries showed, and no more (SAFETY J4).
        raise Problem("device-held", help=_help(worker, claims))
    await worker.limits.re_enter(claims, "resume")
    pupil, sitting = await whose(worker, claims)
    try:
        kept = await worker.kept.attempts.get((claims.sitting, claims.attempt))
    except AWAY as error:
        await worker.limits.take_back(claims, "resume")
        raise Problem("try-later", retry_after_s=2) from error
    for leg, started_ms in enumerate(kept.started):
        if started_ms is not None:
            worker.board.hear_started(claims.attempt, started_ms, leg)
    clock = worker.board.attempt_clock(pupil, worker.roster, claims)
    deadline = deadline_ms(sitting.clock, clock)
    # After a restart the answers to the stopped form are kept, and no part of what the pupil sits now.
    items = worker.roster.items_of_form(sitting.forms[clock.leg])
    stands = standing(event for event in kept.events if clock.leg == 0 or event.item is None or event.item in items)
    now_ms, now = worker.stamp(sitting)
    reply = Resumed(
        complete=kept.complete,
        answers=stands.answers,
        marked=stands.marked,
        place=stands.place,
        language=stands.language,
        devices=[
            ResumedDevice(
                epoch=row["epoch"], events=row["events"], newest_ms=row["newest_ms"], this=row["device"].bytes == device
            )
            for row in kept.devices
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
    asked = read_body(scope, decoder, await worker.reads.body(scope, proto, 2048))
    await worker.limits.re_enter(claims, "have")
    try:
        ranges = await worker.kept.ranges.get((claims.sitting, claims.attempt, asked.device))
    except AWAY as error:
        await worker.limits.take_back(claims, "have")
        raise Problem("try-later", retry_after_s=2) from error
    proto.response_bytes(200, JSON, encode(Have(worker.board.generation, ranges)))


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
