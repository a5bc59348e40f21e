"""Argon2id in a bounded pool: a thousand sign-ins at once must not take the machine from those who work (SAFETY P3)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.core.problems import TooFast

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")

# 19 MiB and 2 passes: the least that OWASP names for argon2id; about 20 ms here.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
THREADS = 2
QUEUE = 64
# Of a login that has no password (a machine made it, or a linked account elsewhere opens it): no password is this one.
NONE = ""
# Checked for a login that nobody has, so that both take the same time.
NOBODY = HASHER.hash("nobody")

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
_waiting = 0


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await _in_pool(HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether it fits; as slow for an unknown login (None), or one without a password, as for a known one."""
    known = stored if stored not in {None, NONE} else None
    fits = await _in_pool(_verify, known or NOBODY, password)
    return fits and known is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def _in_pool(work: Callable[..., R], *words: str) -> R:
    global _waiting
    if _waiting >= QUEUE:
        raise TooFast
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work, *words)
    finally:
        _waiting -= 1
