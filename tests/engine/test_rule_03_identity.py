"""Rules 3 and 4: the same event is one row however often and in whatever order it comes; other content is a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.flusher.entries import Taken, Unit
from engine.flusher.write import CONFLICTS, Memory, rows_of, write
from engine.protocol import SaveRecord, StoredEvent
from tests.support.streams import new_device, save_record

if TYPE_CHECKING:
    from tests.support.loop import Loop
    from tests.support.streams import Bench


async def test_ten_times_the_same_is_one_row_marked_or_not(bench: Bench) -> None:
    attempt, device = bench.attempts[0], new_device()
    async with bench.writer() as commits:
        for number in range(10):
            await commits.join(save_record(bench.sitting, attempt, {1: "5", 2: "6"}, device, again=number % 2 == 1))
            if number % 3 == 0:
                await bench.round()
    await bench.round()
    assert await bench.rows() == [(attempt, 1, "5"), (attempt, 2, "6")]
    assert await bench.db.fetchval("select count(*) from response_conflict") == 0
    assert await bench.dead() == 0


async def test_other_content_under_the_same_seq_is_kept_beside_the_first(bench: Bench) -> None:
    attempt, device = bench.attempts[0], new_device()
    async with bench.writer() as commits:
        await commits.join(save_record(bench.sitting, attempt, {1: "5"}, device))
        await commits.join(save_record(bench.sitting, attempt, {1: "6"}, device))
        await bench.round()
        await commits.join(save_record(bench.sitting, attempt, {1: "7"}, device, again=True))
        await commits.join(save_record(bench.sitting, attempt, {1: "7"}, device))
        await bench.round()
    assert await bench.rows() == [(attempt, 1, "5")]
    kept = await bench.db.fetch("select value from response_conflict order by value")
    assert [row["value"] for row in kept] == ["6", "7"]


async def test_two_devices_may_use_the_same_seq(bench: Bench) -> None:
    attempt = bench.attempts[0]
    async with bench.writer() as commits:
        for value in ("1", "2"):
            await commits.join(save_record(bench.sitting, attempt, {1: value}, new_device()))
    await bench.round()
    assert sorted(value or "" for _, _, value in await bench.rows()) == ["1", "2"]


async def test_who_repeats_in_silence_goes_the_long_way_alone(bench: Bench) -> None:
    """One who sends again what he does not mark must not send everybody's answers through the staging table with him."""
    hostile, honest = bench.attempts[:2]
    device, other = new_device(), new_device()
    async with bench.writer() as commits:
        await commits.join(save_record(bench.sitting, hostile, {1: "5"}, device))
        await bench.round()
        assert not bench.memory.repeating
        for _ in range(2):
            await commits.join(save_record(bench.sitting, hostile, {1: "5"}, device))
            await commits.join(save_record(bench.sitting, honest, {1: "8"}, other, again=True))
            await bench.round()
    assert bench.memory.repeating == {hostile}
    saves = [
        SaveRecord(bench.sitting, attempt, new_device(), 1, 0, [StoredEvent(2, 1, 7, "1", None, 0, 0, again=False)])
        for attempt in (hostile, honest)
    ]
    fresh, again = rows_of(saves, bench.memory)
    assert ([row[1] for row in fresh], [row[1] for row in again]) == ([honest], [hostile])
    assert await bench.rows() == [(hostile, 1, "5"), (honest, 1, "8")]


async def test_twice_in_one_round_is_a_repeat_too(bench: Bench) -> None:
    attempt, device = bench.attempts[0], new_device()
    async with bench.writer() as commits:
        for _ in range(2):
            await commits.join(save_record(bench.sitting, attempt, {1: "5"}, device))
        await bench.round()
    assert bench.memory.repeating == {attempt}
    assert await bench.rows() == [(attempt, 1, "5")]


async def test_a_repeat_reads_its_own_row_and_not_the_sitting(bench: Bench) -> None:
    """However old the planner's figures of the table are."""
    attempt = bench.attempts[0]
    columns = "sitting_id, attempt_id, device, seq, kind, item, value, received_ms"
    values = "$1::int, $2::bigint, '5f0c3b1e-6a36-4d6f-9f43-0b0a7c2d9e11'::uuid, n, 1, 7, 'a', 0"
    await bench.db.execute(
        f"insert into response_event ({columns}) select {values} from generate_series(1, 20000) n",
        *(bench.sitting, attempt),
    )
    async with bench.db.transaction():
        await bench.db.execute(
            f"insert into staging ({columns}) select {values} from generate_series(1, 5000) n", bench.sitting, attempt
        )
        plan = "\n".join(row[0] for row in await bench.db.fetch(f"explain {CONFLICTS}"))
    assert "Seq Scan on staging" in plan
    assert "Seq Scan on response_event" not in plan
    assert "Index Scan" in plan


deliveries = st.lists(
    st.tuples(st.integers(0, 1), st.lists(st.integers(1, 8), min_size=1, max_size=5, unique=True), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliver=deliveries)
def test_repeats_and_order_of_delivery_change_nothing(
    deliver: list[tuple[int, list[int], bool]], shared_bench: Bench, loop: Loop
) -> None:
    """Whatever a weak line repeats and reorders, and however it is marked: each event once, nothing else."""
    loop.run(_deliver(shared_bench, deliver))


async def _deliver(bench: Bench, deliver: list[tuple[int, list[int], bool]]) -> None:
    await bench.set_scene(2)
    devices = [new_device(), new_device()]
    expected: set[tuple[int, int, str]] = set()
    for pupil, seqs, again in deliver:
        attempt = bench.attempts[pupil]
        events = [StoredEvent(seq, 1, 7, str(seq * 10), None, 0, 0, again) for seq in sorted(seqs)]
        unit = Unit(0, 1, 0, SaveRecord(bench.sitting, attempt, devices[pupil], 1, 0, events))
        await write(bench.db, Taken([unit], [], [], drained=True), Memory())
        expected |= {(attempt, seq, str(seq * 10)) for seq in seqs}
    assert set(await bench.rows()) == expected
    assert await bench.db.fetchval("select count(*) from response_conflict") == 0
