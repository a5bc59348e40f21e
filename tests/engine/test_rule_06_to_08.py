"""Rules 6, 7 and 8: generations, dead letters, the order of devices and re-entry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from engine.protocol import SaveRecord, SignInRecord, StoredEvent
from engine.restored import say_restored
from infra.settings import RestoreSettings
from tests.support.pupil import Pupil, Refused
from tests.support.streams import new_device, save_record
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

    from tests.engine.conftest import Begin
    from tests.support.streams import Bench

    Db = asyncpg.Connection[asyncpg.Record]


async def test_a_new_generation_reaches_players_who_then_ask_what_is_there(begin: Begin, db: Db) -> None:
    """After a restore: the reply carries the new generation, /v1/have the ranges that Postgres holds (rule 6)."""
    scene, pupil = await begin()
    for item in scene.items.values():
        pupil.answer(item, 1)
    await pupil.save_until_durable()
    await db.execute("delete from response_event where attempt_id = $1 and seq in (2, 3, 5)", pupil.attempt)
    before = await db.fetchval("update generation set number = number + 1 returning number - 1")

    async def heard() -> None:
        reply = await pupil.call("POST", "/v1/save", pupil.batch([]))
        assert reply["generation"] == before + 1

    await eventually(heard)
    have = await pupil.call("POST", "/v1/have", {"device": pupil.device})
    assert have == {"generation": before + 1, "have": [[1, 1], [4, 4], [6, 6]]}
    held = {seq for first, last in have["have"] for seq in range(first, last + 1)}
    await pupil.save(events=[event for event in pupil.log if event["seq"] not in held])

    async def whole_again() -> None:
        assert (await pupil.call("POST", "/v1/have", {"device": pupil.device}))["have"] == [[1, 6]]

    await eventually(whole_again)


async def test_a_restored_postgres_reads_the_streams_that_it_has_forgotten(bench: Bench) -> None:
    """A backup knows neither the newest stream nor its number: `elumiti restored` says so (rules 1 and 6)."""
    settings = RestoreSettings(owner_database_url=bench.owner_url, valkey_url=bench.url)
    attempt, device = bench.attempts[0], new_device()
    async with bench.writer() as commits:
        await commits.join(save_record(bench.sitting, attempt, {1: "1"}, device))
        await bench.round()
        # As if Postgres came from a backup that was made before this writer registered its stream.
        await bench.db.execute("delete from stream_position")
        await bench.db.execute("delete from response_event where attempt_id = $1", attempt)
        await bench.db.execute("select setval(pg_get_serial_sequence('stream_position', 'stream'), 1)")
        await commits.join(save_record(bench.sitting, attempt, {2: "2"}, device))
        before = await bench.db.fetchval("select number from generation")
        done = await say_restored(settings)
        assert done.generation == before + 1
        assert set(done.streams) <= set(bench.streams)
        await bench.round()
        assert await bench.rows() == [(attempt, 1, "1"), (attempt, 2, "2")]
        assert min(await bench.register(3)) > max(done.streams)
    assert (await say_restored(settings)).streams == []


async def test_what_postgres_refuses_as_data_is_one_dead_letter_and_the_rest_is_stored(bench: Bench) -> None:
    """Halving finds the one event; position, neighbours and later batches go on (rule 7)."""
    attempt, device = bench.attempts[0], new_device()
    poison = StoredEvent(2, 1, 7, "a\x00b", None, 0, 0, again=False)
    good = [StoredEvent(seq, 1, 7, str(seq), None, 0, 0, again=False) for seq in (1, 3)]
    async with bench.writer() as commits:
        commits.join(SaveRecord(bench.sitting, attempt, device, 1, 0, [good[0], poison, good[1]]))
        too_wide = StoredEvent(4, 40_000, 7, "1", None, 0, 0, again=False)
        commits.join(SaveRecord(bench.sitting, attempt, device, 1, 0, [too_wide]))
        await commits.join(save_record(bench.sitting, bench.attempts[1], {1: "9"}))
    written = await bench.round()
    assert written.dead == 2
    assert await bench.dead() == 2
    assert await bench.rows() == [(attempt, 1, "1"), (attempt, 3, "3"), (bench.attempts[1], 1, "9")]
    letters = await bench.db.fetch("select attempt_id, sqlstate, payload from dead_letter order by id")
    assert {row["attempt_id"] for row in letters} == {attempt}
    assert all(row["payload"] for row in letters)
    assert (await bench.read()).units == []


async def test_an_entry_that_is_not_ours_is_a_dead_letter_too(bench: Bench) -> None:
    async with bench.writer() as commits:
        ack = await commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))
        await bench.valkey.xadd(f"s:{{{ack.stream}}}", {"b": b"\xc1 rubbish"})
        await commits.join(save_record(bench.sitting, bench.attempts[0], {2: "2"}))
    await bench.round()
    assert [seq for _, seq, _ in await bench.rows()] == [1, 2]
    assert await bench.dead() == 1


async def test_devices_are_numbered_by_time_also_when_one_round_reads_both(bench: Bench) -> None:
    """The second device's stream may be read first: it still gets the higher number (rule 8)."""
    attempt, first, second = bench.attempts[0], new_device(), new_device()
    async with bench.writer() as one, bench.writer() as other:
        await other.join(SignInRecord(bench.sitting, attempt, first, 1_000, ""))
        await one.join(SignInRecord(bench.sitting, attempt, second, 2_000, ""))
    await bench.round()
    rows = await bench.db.fetch(
        "select device, epoch from attempt_device where attempt_id = $1 order by epoch", attempt
    )
    assert [row["device"].bytes for row in rows] == [first, second]


async def test_re_entry_on_another_phone_finds_everything_within_ten_seconds(begin: Begin, service: str) -> None:
    """The order of answers is (device epoch, seq), whatever came in when (rule 8)."""
    scene, first = await begin()
    items = list(scene.items.values())
    for item in items[:3]:
        first.note("view", item)
        first.answer(item, 1)
    first.note("mark", items[1])
    await first.save()
    second = Pupil(service, scene.seats[0])
    began = time.monotonic()
    signed_in = await second.sign_in()
    resumed = await second.call("POST", "/v1/resume", {"device": second.device})
    took_s = time.monotonic() - began
    assert took_s < 10
    assert resumed["complete"]
    assert {int(item): answer["value"] for item, answer in resumed["answers"].items()} == dict.fromkeys(items[:3], 1)
    assert resumed["marked"] == [items[1]]
    assert resumed["place"] == items[2]
    assert resumed["started_ms"] == first.keys["started_ms"]
    assert signed_in["attempt"] == first.attempt
    second.answer(items[0], 2)
    await second.save_until_durable()
    # The first phone wakes up: what it owes is taken, and it hears that it was superseded.
    first.answer(items[0], 3)
    first.answer(items[4], 3)

    async def told() -> None:
        assert (await first.save()).get("superseded")

    await eventually(told)
    await first.save_until_durable()
    again = await second.call("POST", "/v1/resume", {"device": second.device})
    assert again["answers"][str(items[0])]["value"] == 2
    assert again["answers"][str(items[4])]["value"] == 3
    assert [device["epoch"] for device in again["devices"]] == [1, 2]


async def test_the_third_new_device_within_ten_minutes_waits_for_a_person(begin: Begin, service: str) -> None:
    """A stranger with a slip can't lock a child out (SAFETY J4)."""
    scene, first = await begin()
    await first.save_until_durable()
    for _ in range(2):
        await Pupil(service, scene.seats[0]).sign_in()
    with pytest.raises(Refused) as caught:
        await Pupil(service, scene.seats[0]).sign_in()
    assert caught.value.problem["code"] == "device-held"
    assert caught.value.problem["help"]["name"]
    scene_item = next(iter(scene.items.values()))
    first.answer(scene_item, 1)
    await first.save_until_durable()


async def test_a_sign_in_stands_though_a_save_of_its_device_bears_an_earlier_time(bench: Bench) -> None:
    """Clocks of two workers differ by milliseconds: which phone a device continues must not hang on that (J4)."""
    attempt, old, new = bench.attempts[0], new_device(), new_device()
    save = save_record(bench.sitting, attempt, {1: '"A"'}, new)
    sign_in = SignInRecord(bench.sitting, attempt, new, save.received_ms + 15, "test", old)
    async with bench.writer() as commits:
        commits.join(SignInRecord(bench.sitting, attempt, old, save.received_ms - 1000, "test"))
        commits.join(sign_in)
        await commits.join(save)
    await bench.round()
    rows = await bench.db.fetch(
        "select device, continues from attempt_device where attempt_id = $1 order by epoch", attempt
    )
    assert [(row["device"].bytes, row["continues"] and row["continues"].bytes) for row in rows] == [
        (old, None),
        (new, old),
    ]
