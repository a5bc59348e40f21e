"""The notice board read again from Postgres: a worker of a nation does so in the middle of a sitting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.board import Board
from infra.breath import PIECE

if TYPE_CHECKING:
    from tests.support.streams import Bench


async def test_who_saves_meanwhile_waits_for_one_piece_at_the_most(bench: Bench) -> None:
    """Valkey was away, or a sitting is new: all devices and starts are read, and no turn of the loop holds all of them."""
    pupils = 6 * PIECE
    await bench.set_scene(pupils)
    await bench.db.execute(
        "insert into attempt (id, sitting_id, signed_in_at, started_at) select unnest($2::bigint[]), $1, now(), now()",
        *(bench.sitting, bench.attempts),
    )
    await bench.db.execute(
        """
        insert into attempt_device (attempt_id, device, epoch, first_seen_ms)
        select attempt, gen_random_uuid(), 1, 1 from unnest($1::bigint[]) attempt
        """,
        bench.attempts,
    )
    board = Board()
    known: list[int] = [0]

    async def others() -> None:
        while True:
            known.append(len(board.devices) + len(board.started[0]))
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await board.rebuild(bench.db, [bench.sitting])
    beside.cancel()
    assert (len(board.devices), len(board.started[0])) == (pupils, pupils)
    assert max(after - before for before, after in zip(known, known[1:], strict=False)) <= PIECE
