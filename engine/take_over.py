"""May a new device take an attempt over (SAFETY J4)? Counted in Valkey, so that a race through two workers counts as one.

Before the start freely. After it two within ten minutes pass at once (the child's phone died), the third waits for a
person: a stranger with a slip can't go on for ever. Whoever is let in or held back is on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import RedisError

from engine.problems import Problem
from engine.protocol import Help, HoldRecord

if TYPE_CHECKING:
    from engine.roster import Pupil, Sitting
    from engine.worker import Worker
    from infra.valkey import Valkey

TAKE_OVERS = 2
WINDOW_MS = 10 * 60 * 1000
KEPT_S = 24 * 3600

# One step, whichever worker asks: a device that was counted passes; the very first of an attempt is no take-over.
ENTER = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
local at = ARGV[2]
if ARGV[5] == '1' and redis.call('ZCARD', KEYS[1]) == 0 then at = '0'
elseif redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[3], '+inf') >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], at, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
"""


def key_of(attempt: int) -> str:
    """Where the devices that came after the start are counted."""
    return f"devices:{attempt}"


async def enter(valkey: Valkey, attempt: int, device: bytes, now_ms: int, since_ms: int, *, first: bool) -> bool:
    """Count a device in; False: it is one too many since `since_ms`."""
    given = (device.hex(), now_ms, since_ms, TAKE_OVERS, int(first), KEPT_S)
    # redis-py types eval as str; it is an awaitable of the script's number.
    return bool(await cast("Any", valkey.eval(ENTER, 1, key_of(attempt), *given)))


async def require_device(
    worker: Worker, pupil: Pupil, sitting: Sitting, starts_ms: int, device: bytes, now_ms: int, agent: str
) -> None:
    """Let a device in, or raise `device-held` and put it on record."""
    known = worker.board.devices.get(pupil.attempt)
    if now_ms < starts_ms or (known is not None and (device == known.newest or device in known.older)):
        return
    since_ms = max(now_ms - WINDOW_MS, starts_ms, pupil.devices_freed_ms)
    try:
        passes = await enter(worker.valkey, pupil.attempt, device, now_ms, since_ms, first=known is None)
    except (RedisError, OSError) as error:
        # Without a count no take-over is free.
        raise Problem("try-later", retry_after_s=5) from error
    if not passes:
        worker.commits.join(HoldRecord(pupil.sitting, pupil.attempt, device, now_ms, agent))
        raise Problem("device-held", retry_after_s=60, help=Help(sitting.help_name, sitting.help_phone))
