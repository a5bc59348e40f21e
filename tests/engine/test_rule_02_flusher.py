"""Rule 2: the position moves in the transaction that stores; any number of flushers, dead or alive, is harmless."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from engine.flusher import keep
from engine.flusher.entries import open_streams
from engine.flusher.write import Memory, PositionMovedError, write
from tests.support.streams import save_record

if TYPE_CHECKING:
    from tests.support.streams import Bench


async def put(bench: Bench, *values: int) -> None:
    """One save a value, each with its seq."""
    async with bench.writer() as commits:
        for value in values:
            await commits.join(save_record(bench.sitting, bench.attempts[0], {value: str(value)}))


async def test_two_flushers_that_read_the_same_store_it_once(bench: Bench) -> None:
    await put(bench, 1, 2, 3)
    other = await bench.another()
    taken = await bench.read()
    outcomes = await asyncio.gather(
        write(bench.db, taken, Memory()), write(other, taken, Memory()), return_exceptions=True
    )
    await other.close()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["PositionMovedError", "Written"]
    assert [seq for _, seq, _ in await bench.rows()] == [1, 2, 3]


async def test_a_flusher_that_dies_between_copy_and_commit_leaves_nothing(bench: Bench) -> None:
    """The row is in, COMMIT never comes: position and events are both as before, and the next round has all."""
    await put(bench, 1, 2)
    dying = await bench.another()
    taken = await bench.read()
    outer = dying.transaction()
    await outer.start()
    await write(dying, taken, Memory())
    dying.terminate()
    await asyncio.sleep(0)
    before = await bench.read()
    assert len(before.units) == 2
    await bench.round()
    assert [seq for _, seq, _ in await bench.rows()] == [1, 2]


async def test_a_flusher_with_an_old_position_changes_nothing(bench: Bench) -> None:
    """Frozen for minutes, then awake: what it read long ago is refused by the position."""
    await put(bench, 1)
    old = await bench.read()
    await bench.round()
    await put(bench, 2)
    with pytest.raises(PositionMovedError):
        await write(bench.db, old, Memory())
    await bench.round()
    assert [seq for _, seq, _ in await bench.rows()] == [1, 2]


async def test_an_error_that_is_not_the_datas_fault_rolls_all_back(bench: Bench) -> None:
    """A full disk or a missing partition stops the line; nothing is skipped over."""
    await put(bench, 1)
    await bench.db.execute("alter table response_event rename to away")
    with pytest.raises(asyncpg.UndefinedTableError):
        await bench.round()
    await bench.db.execute("alter table away rename to response_event")
    assert await bench.dead() == 0
    await bench.round()
    assert [seq for _, seq, _ in await bench.rows()] == [1]


async def test_a_retired_stream_is_closed_only_when_all_of_it_is_in_postgres(bench: Bench) -> None:
    await put(bench, 1)
    written = bench.streams[0] if len((await bench.read()).moves) == 0 else (await bench.read()).moves[0][0].stream
    await keep.keep_house(bench.db, bench.valkey)
    assert written in {at.stream for at in await open_streams(bench.db)}
    await bench.round()
    await keep.keep_house(bench.db, bench.valkey)
    assert written not in {at.stream for at in await open_streams(bench.db)}
    assert not await bench.valkey.exists(f"s:{{{written}}}")


async def test_a_stream_that_lost_what_postgres_has_is_closed(bench: Bench) -> None:
    """A promoted replica never had the last entries, but the flusher read them before: the position lies behind its end."""
    await put(bench, 1, 2)
    await bench.round()
    stream, id_ms, id_seq = await bench.db.fetchrow(
        "select stream, id_ms, id_seq from stream_position where id_ms > 0 order by id_ms desc limit 1"
    )
    await bench.valkey.xdel(f"s:{{{stream}}}", f"{id_ms}-{id_seq}")
    await keep.keep_house(bench.db, bench.valkey)
    assert stream not in {at.stream for at in await open_streams(bench.db)}


async def test_an_idle_writer_whose_stream_was_closed_goes_on_with_a_new_one(bench: Bench) -> None:
    """Closing is atomic and the writer's next XADD says so: the request is served, nothing is in doubt."""
    async with bench.writer() as commits:
        first = await commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))
        await bench.round()
        await bench.db.execute("update stream_position set retired_at = now() where stream = $1", first.stream)
        await keep.keep_house(bench.db, bench.valkey)
        second = await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
        assert second.stream != first.stream
    await bench.round()
    assert [seq for _, seq, _ in await bench.rows()] == [1, 2]


async def test_trimming_keeps_the_margin_and_is_written_down_before(bench: Bench) -> None:
    await put(bench, *range(1, 400))
    await bench.round()
    stream = await bench.db.fetchval("select stream from stream_position where id_ms > 0 limit 1")
    await bench.db.execute("update stream_position set retired_at = null where stream = $1", stream)
    ahead = keep.MARGIN_MS * 3
    await bench.db.execute("update stream_position set id_ms = id_ms + $2 where stream = $1", stream, ahead)
    await keep.keep_house(bench.db, bench.valkey)
    at = await bench.db.fetchrow("select id_ms, trimmed_ms from stream_position where stream = $1", stream)
    assert at is not None
    assert at["trimmed_ms"] == at["id_ms"] - keep.MARGIN_MS
