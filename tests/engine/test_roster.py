"""The disk's copy of the roster: what an engine starts from while Postgres is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.roster import WRITTEN, Pupil, Roster

if TYPE_CHECKING:
    from pathlib import Path


def pupil(attempt: int) -> Pupil:
    return Pupil(
        **dict.fromkeys(Pupil.__struct_fields__, 0)
        | {"attempt": attempt, "sitting": 1, "language": "kk", "first_name": "Аружан", "locked": False}
    )


async def test_a_roster_of_several_pieces_comes_back_whole(tmp_path: Path) -> None:
    roster = Roster(tmp_path, demo=False)
    roster.codes = {number.to_bytes(16, "big"): pupil(number) for number in range(2 * WRITTEN + 50)}
    await roster.save_snapshot()
    again = Roster(tmp_path, demo=False)
    assert again.load_snapshot()
    assert again.codes == roster.codes
    assert again.pupils[WRITTEN] == pupil(WRITTEN)


async def test_what_changes_while_it_is_written_is_written_next(tmp_path: Path) -> None:
    """Two writings at a time would spoil each other's file."""
    roster = Roster(tmp_path, demo=False)
    roster.codes = {number.to_bytes(16, "big"): pupil(number) for number in range(3 * WRITTEN)}
    first = asyncio.create_task(roster.save_snapshot())
    await asyncio.sleep(0)
    roster.codes[b"late"] = pupil(7_000)
    await roster.save_snapshot()
    assert not first.done()
    assert not roster.unwritten
    await first
    await eventually_unwritten(roster)
    await roster.save_snapshot()
    again = Roster(tmp_path, demo=False)
    assert again.load_snapshot()
    assert again.codes == roster.codes


async def eventually_unwritten(roster: Roster) -> None:
    """The rest after a writing is over."""
    while not roster.unwritten:
        await asyncio.sleep(0.01)
