"""Rule 1: an acknowledgement is (stream, entry id); a stream is one connection's and never written again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.board import Board
from engine.group_commit import SPARE_STREAMS
from engine.problems import Problem
from engine.protocol import Closed, Position
from engine.routes.save import standing
from tests.support.streams import save_record

if TYPE_CHECKING:
    from tests.support.streams import Bench

places = st.tuples(st.integers(0, 2**42), st.integers(0, 2**20))


@given(places, places)
def test_durable_compares_positions_as_two_numbers(position: tuple[int, int], receipt: tuple[int, int]) -> None:
    board = Board()
    board._hear(Position(7, *position))
    expected = "durable" if position >= receipt else "wait"
    assert standing(board, f"7-{receipt[0]}-{receipt[1]}") == expected
    # Another stream's position says nothing, however far it is.
    assert standing(board, f"8-{receipt[0]}-{receipt[1]}") == "wait"


def test_what_lies_behind_a_closed_stream_is_to_be_sent_again() -> None:
    board = Board()
    board._hear(Closed(7, 100, 2))
    assert standing(board, "7-100-2") == "durable"
    assert standing(board, "7-100-3") == "again"
    assert standing(board, "rubbish") == "again"


async def test_who_comes_alone_is_stored_at_once_and_who_comes_soon_after_shares(bench: Bench) -> None:
    """Few saves cost the disk few writes, and nobody waits longer for it than he notices."""
    async with bench.writer() as commits:
        joined = [commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))]
        await joined[0]
        for seq in range(2, 12):
            joined.append(commits.join(save_record(bench.sitting, bench.attempts[0], {seq: "1"})))
            await asyncio.sleep(0)
        receipts = [ack.receipt for ack in await asyncio.gather(*joined)]
        assert receipts[0] != receipts[1]
        assert len(set(receipts)) == commits.groups == 2


async def test_a_lost_connection_ends_the_stream_and_the_next_has_a_new_number(bench: Bench) -> None:
    """No acknowledgement of a cut connection is given twice: its number is never written again."""
    async with bench.writer() as commits:
        first = await commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))
        await bench.valkey.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(Problem) as caught:
            await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
        assert caught.value.code == "try-later"
        second = await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
    assert second.stream != first.stream
    await bench.round()
    assert await bench.rows() == [(bench.attempts[0], 1, "1"), (bench.attempts[0], 2, "2")]


async def test_a_wiped_stream_is_not_silently_begun_anew(bench: Bench) -> None:
    """FLUSHALL under a living connection: the next group opens a new stream, under a new number."""
    async with bench.writer() as commits:
        first = await commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))
        await bench.valkey.flushdb()
        second = await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
    assert second.stream != first.stream
    assert not await bench.valkey.exists(f"s:{{{first.stream}}}")


async def test_all_requests_of_a_group_share_one_entry(bench: Bench) -> None:
    async with bench.writer() as commits:
        futures = [commits.join(save_record(bench.sitting, attempt, {1: "1"})) for attempt in bench.attempts * 5]
        receipts = {(await future).receipt for future in futures}
    assert len(receipts) == 1
    assert len((await bench.read()).units) == len(bench.attempts) * 5


async def test_a_number_that_reached_nobody_is_kept_for_the_next_try(bench: Bench) -> None:
    """Valkey, or a shard of it, is away: no XADD went out, and a minute of tries does not use up Postgres' numbers."""
    async with bench.writer() as commits:
        # A port that nobody listens on (tcpmux).
        there, commits._url = commits._url, "redis://127.0.0.1:1/0"
        await commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))
        await bench.valkey.client_kill_filter(_type="normal", skipme=True)
        for _ in range(3 * SPARE_STREAMS):
            with pytest.raises(Problem):
                await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
        assert len(bench.streams) <= 2 * SPARE_STREAMS
        commits._url = there
        await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
    await bench.round()
    assert await bench.rows() == [(bench.attempts[0], 1, "1"), (bench.attempts[0], 2, "2")]
