"""What this worker can do for a pupil right now, step by step: asked by the status page's probes (GET /v1/status).

Its answer is the system's own word about itself: time is given back by it (engine/credit.py), so it looks, not remembers.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from engine.worker import Worker

# However many ask, Valkey and Postgres are asked twice a second at most.
KEEP_S = 0.5
ANSWER_WITHIN_S = 1.0
# A step that failed one caller a moment ago does not work, whatever the pings say.
REFUSED_LATELY_S = 2.0
STEP_OF = {"/v1/sign-in": "sign-in", "/v1/key": "key", "/v1/resume": "resume", "/v1/save": "save", "/v1/finish": "save"}
OURS = frozenset({"try-later", "internal"})


class Steps(msgspec.Struct, frozen=True, rename={"sign_in": "sign-in"}):
    """Which steps work."""

    sign_in: bool
    key: bool
    resume: bool
    save: bool


class Abilities:
    """Looked up when asked, shared by all who ask at once."""

    def __init__(self) -> None:
        self._known: Steps | None = None
        self._known_at = 0.0
        self._looking: asyncio.Task[Steps] | None = None
        self._refused_at: dict[str, float] = {}

    def refused(self, path: str, code: str) -> None:
        """A caller was sent away through no fault of his."""
        step = STEP_OF.get(path)
        if step is not None and code in OURS:
            self._refused_at[step] = time.monotonic()

    async def now(self, worker: Worker) -> Steps:
        """The steps as they are, half a second old at the most."""
        if self._known is not None and time.monotonic() - self._known_at < KEEP_S:
            return self._known
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(worker))
        return await asyncio.shield(self._looking)

    async def _look(self, worker: Worker) -> Steps:
        try:
            valkey, postgres = await asyncio.gather(self._valkey(worker), self._postgres(worker))
        finally:
            self._looking = None
        knows_pupils = bool(worker.roster.read_at or worker.roster.sittings)
        streams = valkey and worker.commits.ready and not worker.commits.full
        lately = time.monotonic() - REFUSED_LATELY_S
        fine = {step: self._refused_at.get(step, 0.0) < lately for step in STEP_OF.values()}
        steps = Steps(
            sign_in=streams and knows_pupils and fine["sign-in"],
            key=knows_pupils and fine["key"],
            resume=streams and postgres and knows_pupils and fine["resume"],
            save=streams and fine["save"],
        )
        self._known, self._known_at = steps, time.monotonic()
        return steps

    async def _valkey(self, worker: Worker) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                # redis-py types it as bool; it is an awaitable of one.
                await cast("Any", worker.valkey.ping())
        except Exception:  # noqa: BLE001 (whatever it says, it does not work)
            return False
        return True

    async def _postgres(self, worker: Worker) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                assert worker.pool is not None
                await worker.pool.fetchval("select 1")
        except Exception:  # noqa: BLE001 (the same)
            return False
        return True
