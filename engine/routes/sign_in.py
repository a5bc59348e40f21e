"""POST /v1/sign-in: who you are, by the printed code and something that the slip does not show. And the clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec import UNSET, UnsetType
from redis.exceptions import RedisError

from engine.board import NO_CONTROLS
from engine.codes import hash_code, normalise_code
from engine.problems import Problem
from engine.protocol import ExamRoom, Help, MissRecord, SignedIn, SignIn, SignInRecord, SittingFacts
from engine.routes.http import JSON, caller_address, encode, read_body
from engine.take_over import require_device
from engine.timing import deadline_ms, last_possible_end_ms, times_of
from engine.tokens import Claims, expiry_s

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.roster import Pupil, Sitting
    from engine.timing import SittingClock
    from engine.worker import Worker

log = structlog.get_logger()
decoder = msgspec.json.Decoder(SignIn)

TRIES = 3
TRIES_A_CODE = 20
COUNTED_AT_MOST = 200_000


class Rate:
    """Counts within the running minute, by name; forgotten when the minute is over, so it cannot grow for ever."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[str | bytes, int] = {}

    def over(self, name: str | bytes, limit: int) -> bool:
        """Count one more; True beyond the limit."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute or len(self._counts) > COUNTED_AT_MOST:
            self._minute = minute
            self._counts.clear()
        count = self._counts.get(name, 0) + 1
        self._counts[name] = count
        return count > limit


rate = Rate()
# Attempt → its miss that is being counted: of a burst of guesses the next one waits for the count of the one before,
# else all of them are compared before the third is counted (SAFETY J3).
counting: dict[int, asyncio.Event] = {}


async def clock(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """The server's time, signed. A token in the header makes it the sitting's."""
    claims = worker.tokens.verify(scope.headers.get("authorization"))
    sitting = worker.roster.sittings.get(claims.sitting) if claims else None
    real = worker.real_ms()
    now_ms = sitting.now_ms(real) if sitting else real
    proto.response_bytes(200, JSON, encode({"now_ms": now_ms, "now": worker.times.sign(now_ms)}))


async def sign_in(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """A code and day and month of birth become a token; the device joins the attempt's devices on the way."""
    address = caller_address(worker, scope)
    if rate.over(address, worker.settings.sign_ins_per_address):
        raise Problem("slow-down", retry_after_s=20)
    asked = read_body(scope, decoder, await worker.reads.body(scope, proto, 2048))
    pupil = await _known_pupil(worker, asked, address)
    sitting = worker.roster.sittings.get(pupil.sitting)
    if sitting is None:
        raise Problem("code-unknown")
    now_ms, now = worker.stamp(sitting)
    clock = times_of(sitting.clock, worker.board.attempt_clock(pupil, worker.roster))
    _require_time(sitting, clock, pupil, now_ms)
    device = bytes.fromhex(asked.device)
    await require_device(worker, pupil, sitting, clock.starts_ms, device, now_ms, asked.agent)
    # A token of this attempt in the header: the same phone with a new log (SAFETY J4 adds up its history).
    shown = worker.tokens.verify(scope.headers.get("authorization"))
    continues = shown.device if shown and shown.attempt == pupil.attempt and shown.device != device else b""
    phone = bytes.fromhex(asked.phone or "")
    record = SignInRecord(pupil.sitting, pupil.attempt, device, now_ms, asked.agent, continues, phone)
    await worker.commits.join(record)
    proto.response_bytes(200, JSON, encode(signed_in(worker, pupil, sitting, device, now_ms, now)))


def signed_in(worker: Worker, pupil: Pupil, sitting: Sitting, device: bytes, now_ms: int, now: str) -> SignedIn:
    """All that a player needs to go on, also after a crash."""
    board = worker.board
    # Anew: a control may have come while the sign-in was on its way to the disk, and the reply says it knows all of them.
    attempt = board.attempt_clock(pupil, worker.roster)
    started = attempt.started_ms or 0
    deadline = deadline_ms(sitting.clock, attempt)
    clock = times_of(sitting.clock, attempt)
    # The form that this attempt sits, then the reserve, if there is one still to come.
    forms = sitting.forms[attempt.leg :]
    manifests = [worker.manifest(form) for form in forms]
    room = exam_room(worker, pupil, forms)
    claims = Claims(
        *(
            pupil.attempt,
            pupil.sitting,
            attempt.extra_s,
            expiry_s(sitting.clock, attempt),
            started,
            deadline or 0,
            device,
        ),
        attempt.leg,
    )
    return SignedIn(
        token=worker.tokens.sign(claims),
        attempt=pupil.attempt,
        first_name=pupil.first_name,
        language=pupil.language,
        superseded=board.is_superseded(pupil.attempt, device),
        resume=pupil.attempt in board.devices,
        sitting=SittingFacts(
            id=sitting.id,
            project=sitting.project,
            title=sitting.title,
            languages=sitting.languages,
            waiting_opens_ms=clock.waiting_opens_ms,
            starts_ms=clock.starts_ms,
            last_entry_ms=clock.last_entry_ms,
            duration_s=clock.duration_s,
            ends_ms=clock.ends_ms,
            extra_s=attempt.extra_s,
            grace_s=clock.grace_s,
            spread_s=sitting.spread_s,
            help=Help(sitting.help_name, sitting.help_phone),
        ),
        manifest=manifests[0],
        reserve=manifests[1] if len(manifests) > 1 else "",
        started_ms=started or None,
        deadline_ms=deadline,
        now_ms=now_ms,
        now=now,
        generation=board.generation,
        next_save_s=worker.settings.next_save_s,
        room=worker.settings.save_room,
        controls=board.newer_controls(pupil, worker.roster, 0) or NO_CONTROLS,
        rescue_key=worker.settings.rescue_public_key,
        exam_room=room,
        # The order of items is drawn without the server too; it tells nothing without the form.
        seed=UNSET if room is UNSET else worker.seed(pupil),
        watch=worker.watch(pupil, sitting, expiry_s(sitting.clock, attempt), device),
    )


def exam_room(worker: Worker, pupil: Pupil, forms: list[int]) -> ExamRoom | UnsetType:
    """The pupil's room and what its code opens; UNSET at home, and where the room has no code."""
    room = worker.roster.rooms.get(pupil.room) if pupil.room else None
    if room is None or not forms or forms[0] not in room.codes:
        return UNSET
    number, blob = room.codes[forms[0]]
    reserve = room.codes.get(forms[1]) if len(forms) > 1 else None
    return ExamRoom(number=number, name=room.name, blob=blob, reserve=reserve[1] if reserve else "")


async def _known_pupil(worker: Worker, asked: SignIn, address: str) -> Pupil:
    code = normalise_code(asked.code)
    if code is None:
        raise Problem("code-malformed", field="code")
    # One while no pepper is being changed.
    hashes = [hash_code(code, pepper) for pepper in worker.code_peppers]
    if rate.over(hashes[0], TRIES_A_CODE):
        raise Problem("slow-down", retry_after_s=60)
    pupil = _pupil_of(worker, hashes)
    if pupil is None:
        # A guesser costs no reading of the roster; who shares his address and has a code signs in all the same.
        if rate.over(f"unknown {address}", worker.settings.unknown_codes_per_address):
            worker.misses.note("code-unknown")
            raise Problem("slow-down", retry_after_s=60)
        await worker.catch_up()
        pupil = _pupil_of(worker, hashes)
    if pupil is None:
        worker.misses.note("code-unknown")
        raise Problem("code-unknown")
    sitting = worker.roster.sittings.get(pupil.sitting)
    help_ = Help(sitting.help_name, sitting.help_phone) if sitting else Help("", "")
    while (before := counting.get(pupil.attempt)) is not None:
        await before.wait()
    if pupil.locked or pupil.attempt in worker.board.locked:
        worker.misses.note("code-locked", pupil.sitting)
        raise Problem("code-locked", help=help_)
    if pupil.birth != asked.month * 100 + asked.day:
        counted = counting[pupil.attempt] = asyncio.Event()
        try:
            await _count_miss(worker, pupil, help_)
        finally:
            del counting[pupil.attempt]
            counted.set()
    return pupil


def _pupil_of(worker: Worker, hashes: list[bytes]) -> Pupil | None:
    """Whose code it is, if his sitting is known here too."""
    roster = worker.roster
    found = next((pupil for hashed in hashes if (pupil := roster.codes.get(hashed)) is not None), None)
    return found if found is not None and found.sitting in roster.sittings else None


async def _count_miss(worker: Worker, pupil: Pupil, help_: Help) -> None:
    """Three misses lock the code until the supervisor frees it (SAFETY J3)."""
    name = f"miss:{pupil.attempt}"
    try:
        misses = int(await worker.valkey.incr(name))
        await worker.valkey.expire(name, 24 * 3600)
    except (RedisError, OSError) as error:
        # Without a count no guess is free.
        worker.misses.note("birth-mismatch", pupil.sitting)
        raise Problem("try-later", retry_after_s=5) from error
    # Another worker may have locked the code before the flusher told this one.
    worker.misses.note("code-locked" if misses > TRIES else "birth-mismatch", pupil.sitting)
    log.info("engine.sign_in.birth_missed", attempt=pupil.attempt, misses=misses)
    worker.commits.join(MissRecord(pupil.attempt, misses, worker.real_ms()))
    if misses >= TRIES:
        worker.board.locked.add(pupil.attempt)
        raise Problem("code-locked", help=help_)
    raise Problem("birth-mismatch", tries_left=TRIES - misses)


def _require_time(sitting: Sitting, clock: SittingClock, pupil: Pupil, now_ms: int) -> None:
    if now_ms < clock.waiting_opens_ms:
        raise Problem("waiting-not-open", opens_ms=clock.waiting_opens_ms, now_ms=now_ms)
    # A day for those whose phone died before the hand-in; saving itself needs no sign-in and goes on longer.
    if sitting.state == "closed" or now_ms > last_possible_end_ms(clock, pupil.extra_s) + 24 * 3600 * 1000:
        raise Problem("sitting-over")
