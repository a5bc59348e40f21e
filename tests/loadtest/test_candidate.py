"""A simulated candidate keeps the protocol's promises, whatever the line and the server do to him."""

from __future__ import annotations

import msgspec
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.routes.save import FINISHING_AT_MOST_S
from loadtest.course import Step
from loadtest.nation.candidate import AGAIN_AFTER_S, Candidate, Heard, Log, merged
from loadtest.nation.courses import Course
from loadtest.nation.reconcile import acknowledged_runs

COURSE = Course([Step(float(at), "view", at % 7) for at in range(60)])
RANGES = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def candidate() -> Candidate:
    return Candidate(0, 1, "", COURSE, Log(0, "a" * 32, 0))


class Sent(msgspec.Struct):
    seq: int
    again: bool = False


class Body(msgspec.Struct):
    events: list[Sent]
    open: list[str]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["lost", "durable", "wait", "wiped"])), max_size=40))
def test_every_event_is_sent_until_it_is_durable_and_marked_when_it_is_sent_again(turns: list[tuple[int, str]]) -> None:
    """Lost answers, a wiped stream, long waits: at the end the server has all, and each was unmarked the first time."""
    pupil = candidate()
    held: set[int] = set()
    streamed: set[int] = set()
    seen: set[int] = set()
    stream = entry = 1
    at = 0.0
    for passed, fate in [*turns, *[(70, "durable")] * 6]:
        at += passed
        if fate == "wiped":
            # What is not in Postgres is gone, and what comes now goes to a stream of another number.
            streamed, stream = set(), stream + 1
        batch = pupil.save_body(at)
        body = msgspec.json.decode(batch.body, type=Body)
        fresh = [event.seq for event in body.events if not event.again]
        again = [event.seq for event in body.events if event.again]
        assert fresh == sorted(fresh)
        assert again == sorted(set(again))
        assert not set(fresh) & seen
        assert set(again) <= seen
        seen |= {*fresh, *again}
        if fate == "durable":
            held, streamed = held | streamed, set()
        standings = [
            "again" if int(receipt.split("-")[0]) < stream else "durable" if fate == "durable" else "wait"
            for receipt in body.open
        ]
        streamed |= {*fresh, *again}
        if fate == "lost":
            pupil.lost(batch)
            continue
        entry += 1
        receipt = f"{stream}-{entry}-0" if body.events else None
        pupil.settle(batch, Heard(now="t", receipt=receipt, open=standings), at)
    owed = {seq for first, last in pupil.log.owed for seq in range(first, last + 1)}
    assert set(range(1, pupil.log.sent + 1)) <= held | streamed | owed
    assert pupil.log.sent == len(COURSE.at)


@given(RANGES)
def test_ranges_are_merged_without_loss(ranges: list[tuple[int, int]]) -> None:
    result = merged(list(ranges))
    numbers = {seq for first, last in ranges for seq in range(first, last + 1)}
    assert {seq for first, last in result for seq in range(first, last + 1)} == numbers
    if len(ranges) > 1:
        assert all(before[1] + 1 < after[0] for before, after in zip(result, result[1:], strict=False))


@given(RANGES)
def test_the_ledger_counts_each_acknowledged_event_once(ranges: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(
        {
            "log": pl.Series([3] * len(ranges), dtype=pl.UInt32),
            "first": pl.Series([first for first, _ in ranges], dtype=pl.UInt32),
            "last": pl.Series([last for _, last in ranges], dtype=pl.UInt32),
        }
    )
    runs = acknowledged_runs(frame).get(3, [])
    counted = [seq for first, last in runs for seq in range(first, last + 1)]
    assert sorted(counted) == sorted({seq for first, last in ranges for seq in range(first, last + 1)})


def test_after_a_restore_he_sends_what_the_server_lacks_and_no_more() -> None:
    pupil = candidate()
    pupil.settle(pupil.save_body(9.5), Heard(now="t", receipt="1-1-0"), 9.5)
    pupil.send_what_lacks([(2, 3), (6, 10)])
    assert merged(pupil.log.owed) == [(1, 1), (4, 5)]


def test_the_phone_that_was_put_away_writes_nothing_new() -> None:
    pupil = candidate()
    batch = pupil.save_body(5.5)
    pupil.lost(batch)
    old = pupil.put_away()
    body = msgspec.json.decode(old.save_body(50.0).body, type=Body)
    assert [event.seq for event in body.events] == [1, 2, 3, 4, 5, 6]
    assert all(event.again for event in body.events)


def test_who_has_handed_in_asks_for_his_receipt_as_told_and_then_ever_later() -> None:
    pupil = candidate()
    finish = pupil.save_body(61, finish=True)
    assert finish.finish
    asks = pupil.save_body(65)
    waits = [pupil.asks_again_s(finish, Heard(now="t", next_save_s=3))]
    waits += [pupil.asks_again_s(asks, Heard(now="t", next_save_s=30)) for _ in range(12)]
    assert waits[:3] == [3, 4.5, 6.75]
    assert waits[-1] == 60
    assert pupil.asks_again_s(asks, Heard(now="t", missing=[(1, 2)])) == 3
    # A nation at the bell: nobody asks sooner than he was told, nor so late that all would send their last answers twice.
    assert pupil.asks_again_s(finish, Heard(now="t", next_save_s=90)) == 90
    assert pupil.asks_again_s(asks, Heard(now="t", next_save_s=30)) == 90
    assert 1.2 * FINISHING_AT_MOST_S < AGAIN_AFTER_S
