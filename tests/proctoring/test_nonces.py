"""SAFETY R3: a nonce never comes twice: 10⁶ pictures over restarts, in two processes that know nothing of each other."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from proctoring.keys import KeyRing
from proctoring.segments import NONCE_BYTES, entries
from proctoring.spool import Spool

EACH = 250_000
KEK = bytes(range(32))


async def _fill(root: Path) -> None:
    spool = Spool(
        root,
        KeyRing(),
        KEK,
        lambda _path: None,
        segment_bytes=8 * 2**20,
        segment_s=3600,
        most_bytes=2**40,
        free_bytes=0,
    )
    for start in range(0, EACH, 10_000):
        for number in range(start, start + 10_000):
            last = spool.join(1, number % 50, 1, number, 1, 1, b"x")
        await last
    await spool.close()


def run(root: str) -> bytes:
    """A process that is started twice; its nonces, one after the other."""
    for _ in range(2):
        asyncio.run(_fill(Path(root)))
    found: list[bytes] = []
    for path in Path(root).glob("*/*.seg"):
        body = path.read_bytes()
        found += [body[entry.offset : entry.offset + NONCE_BYTES] for entry in entries(body)]
    return b"".join(found)


@pytest.mark.slow
def test_a_million_nonces_differ(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        halves = list(processes.map(run, [str(tmp_path / "one"), str(tmp_path / "two")]))
    seen = b"".join(halves)
    nonces = {seen[at : at + NONCE_BYTES] for at in range(0, len(seen), NONCE_BYTES)}
    assert len(seen) == 4 * EACH * NONCE_BYTES
    assert len(nonces) == 4 * EACH
