"""SAFETY M2: one pupil has bounds; beyond them he alone hears 429, the proctor sees it, and what he sent before is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest

from engine import kept as kept_reads
from engine import limits as bounds
from engine.codes import draw_code
from engine.flusher.limits import POISON_CAP
from engine.limits import BYTES, EVENTS, REPORTS, REPORTS_OVER, STEP_BYTES, STEP_EVENTS, Limits
from engine.problems import Problem
from engine.protocol import SaveRecord, StoredEvent
from engine.tokens import Claims
from infra.local import environment
from infra.valkey import connect
from tests.engine.conftest import begin, bench, db  # noqa: F401 (fixtures)
from tests.portal.conftest import House, house  # noqa: F401 (a fixture)
from tests.support.engines import another_engine
from tests.support.pupil import Pupil, Refused
from tests.support.sittings import Scene, make_sitting
from tests.support.streams import new_device, save_record
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin
    from tests.support.streams import Bench

    Db = asyncpg.Connection[asyncpg.Record]

WORKERS = 2
REST_S = 1.0


def views(item: int, first: int, count: int) -> list[dict[str, object]]:
    """So many of the smallest events."""
    return [{"seq": seq, "kind": "view", "item": item} for seq in range(first, first + count)]


async def send(pupil: Pupil, events: list[dict[str, object]]) -> dict[str, object]:
    """A save of just these."""
    return await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "events": events})


async def until_refused(pupil: Pupil, batches: list[list[dict[str, object]]]) -> tuple[int, Refused]:
    """Save one batch after the other; how many were taken before the first 429, and that answer."""
    for number, events in enumerate(batches):
        try:
            await send(pupil, events)
        except Refused as refused:
            assert (refused.status, refused.problem["code"]) == (429, "slow-down")
            assert int(refused.headers["retry-after"]) > 0
            return number, refused
    raise AssertionError("nothing was refused")


async def all_at_once(pupil: Pupil, count: int) -> tuple[int, set[str]]:
    """So many saves on as many lines; how many were taken, and the limits that the others met."""
    limits: set[str] = set()

    async def one() -> int:
        try:
            await send(pupil, [])
        except Refused as refused:
            limits.add(refused.problem["limit"])
            return 0
        return 1

    return sum(await asyncio.gather(*(one() for _ in range(count)))), limits


async def crossed(db: Db, attempt: int, name: str, times: int = 1) -> None:  # noqa: F811
    """It is on record that an attempt was refused for a limit, so often at least."""

    async def told() -> None:
        found = await db.fetchval("select times from attempt_limit where attempt_id = $1 and name = $2", attempt, name)
        assert (found or 0) >= times

    await eventually(told)


async def kept(db: Db, attempt: int, count: int) -> None:  # noqa: F811
    """All that was acknowledged is in Postgres."""

    async def stored() -> None:
        assert await db.fetchval("select count(*) from response_event where attempt_id = $1", attempt) == count

    await eventually(stored)


async def test_beyond_twenty_thousand_events_a_pupil_is_full_and_his_neighbour_is_not(
    begin: Begin,  # noqa: F811
    db: Db,  # noqa: F811
    house: House,  # noqa: F811
) -> None:
    """Two workers do not make it forty thousand; everything acknowledged is kept; the proctor is told; the others go on."""
    scene, hostile = await begin()
    item = next(iter(scene.items.values()))
    honest = Pupil(hostile.base_url, scene.seats[1])
    await honest.sign_in()
    batches = [views(item, 1 + 200 * number, 200) for number in range(2 * EVENTS // 200)]
    sent, refused = await until_refused(hostile, batches)
    assert EVENTS - WORKERS * STEP_EVENTS <= 200 * sent <= 1.4 * EVENTS
    assert refused.problem["limit"] == "events"
    # Whichever worker answers, now and after it was told: no more of his events, but he hears what is durable.
    await crossed(db, hostile.attempt, "events")

    async def full_everywhere() -> None:
        for _ in range(6):
            await refused_as(lambda: send(hostile, views(item, 1, 1)), "slow-down")

    await eventually(full_everywhere)
    assert "receipt" not in await send(hostile, [])
    honest.answer(item, 1)
    await honest.save_until_durable()
    await kept(db, honest.attempt, 1)
    assert await db.fetchval("select count(*) from response_event where attempt_id = $1", hostile.attempt) >= 200 * sent

    def pages() -> None:
        admin = house.worker("test-administrator")
        page = admin.get(f"/sittings/{scene.sitting}/participants/{hostile.attempt}?lang=en").text
        assert "20,000 events" in page or "20 000 events" in page
        assert "Pupils beyond their limits: 1" in admin.get(f"/sittings/{scene.sitting}/live?lang=en").text
        page = admin.get(f"/sittings/{scene.sitting}/participants/{honest.attempt}?lang=en").text
        assert "beyond" not in page

    await asyncio.to_thread(pages)


async def test_eight_megabytes_are_the_other_bound_of_an_attempt(begin: Begin, db: Db) -> None:  # noqa: F811
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    long = "ұ" * 1990
    batches = [
        [{"seq": 15 * number + place, "kind": "answer", "item": item, "value": long} for place in range(1, 16)]
        for number in range(2 * BYTES // 60_000)
    ]
    size = len(json.dumps({"attempt": pupil.attempt, "events": batches[0]}, ensure_ascii=False).encode())
    assert size < 65_536
    sent = 0
    with pytest.raises(Refused) as caught:
        for events in batches:
            text = json.dumps({"attempt": pupil.attempt, "events": events}, ensure_ascii=False).encode()
            await pupil.call("POST", "/v1/save", text)
            sent += 1
    assert (caught.value.status, caught.value.problem["limit"]) == (429, "bytes")
    assert BYTES - WORKERS * STEP_BYTES - size <= sent * size <= 1.4 * BYTES
    await kept(db, pupil.attempt, 15 * sent)
    await crossed(db, pupil.attempt, "bytes")


async def test_the_eleventh_report_is_refused_alone_and_always_the_same_one(begin: Begin, db: Db) -> None:  # noqa: F811
    """Answers of the same save are stored; a save of nothing but such reports is 429; a repeat has the same verdict."""
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))

    def report(seq: int) -> dict[str, object]:
        return {"seq": seq, "kind": "report", "item": item, "value": "wording"}

    for seq in range(1, REPORTS):
        assert "refused" not in await send(pupil, [report(seq)])
    answer = {"seq": 12, "kind": "answer", "item": item, "value": 1}
    for _ in range(4):
        # The tenth fits, the eleventh does not: of two workers both say so, however often it comes.
        reply = await send(pupil, [report(10), report(11), answer])
        assert reply["refused"] == [{"seq": 11, "code": REPORTS_OVER}]
    refused = await refused_as(lambda: send(pupil, [report(13)]), "slow-down")
    assert (refused.status, refused.problem["limit"]) == (429, "reports")
    await kept(db, pupil.attempt, 12)
    kinds = await db.fetch("select seq, kind from response_event where attempt_id = $1 order by seq", pupil.attempt)
    assert [row["seq"] for row in kinds if row["kind"] == 8] == list(range(1, 11))
    await crossed(db, pupil.attempt, "reports")


@pytest.fixture
async def strict(stack: Stack, owner_url: str, service: str) -> AsyncIterator[tuple[str, Scene]]:
    """An engine with the limits that an installation has by default, and a sitting."""
    scene = await make_sitting(stack, owner_url, pupils=3)
    settings = {"ELUMITI_RE_ENTRIES_A_MINUTE": "2", "ELUMITI_SAVES_A_MINUTE": "40"}
    settings["ELUMITI_UNKNOWN_CODES_PER_ADDRESS"] = "3"
    # A demo plays sixty times as fast, with sixty times as many saves.
    settings["ELUMITI_DEMO"] = "false"
    async with another_engine(stack, settings) as url:
        yield url, scene


async def test_re_entries_and_saves_have_a_minute(strict: tuple[str, Scene], db: Db) -> None:  # noqa: F811
    """The third of a device within a minute waits, through whichever worker; another pupil and another device do not."""
    url, scene = strict
    pupil, second, other = Pupil(url, scene.seats[0]), Pupil(url, scene.seats[0]), Pupil(url, scene.seats[1])
    for device in (pupil, second, other):
        await eventually(device.sign_in)
    for path in ("/v1/have", "/v1/resume"):
        for device in (second, other):
            for _ in range(2):
                await device.call("POST", path, {"device": device.device})
            refused = await refused_as(lambda d=device, p=path: d.call("POST", p, {"device": d.device}), "slow-down")
            assert (refused.status, refused.problem["limit"]) == (429, "re-entries")
            assert 0 < int(refused.headers["retry-after"]) <= 60
    await crossed(db, other.attempt, "re-entries", 2)
    item = next(iter(scene.items.values()))
    await send(other, views(item, 1, 1))
    taken, limits = await all_at_once(other, WORKERS * 40 + 1)
    # Three at once in each worker, those that wait for a turn of the next five seconds, and what comes due meanwhile.
    assert 3 <= taken <= WORKERS * 2 * 6
    assert limits == {"saves"}
    await send(second, views(item, 1, 1))
    await kept(db, other.attempt, 1)


async def test_who_is_beyond_his_bounds_hears_so_late_and_nobody_else_waits(
    stack: Stack,
    owner_url: str,
) -> None:
    """As fast as he is answered is seldom then; a neighbour saves meanwhile as ever."""
    scene = await make_sitting(stack, owner_url, pupils=2)
    settings = {"ELUMITI_RE_ENTRIES_A_MINUTE": "1", "ELUMITI_REFUSAL_REST_S": str(REST_S)}
    async with another_engine(stack, settings, workers=1) as url:
        hostile, honest = Pupil(url, scene.seats[0]), Pupil(url, scene.seats[1])
        for pupil in (hostile, honest):
            await eventually(pupil.sign_in)
        await hostile.call("POST", "/v1/have", {"device": hostile.device})
        began = time.monotonic()
        again = asyncio.create_task(hostile.call("POST", "/v1/have", {"device": hostile.device}))
        await send(honest, views(next(iter(scene.items.values())), 1, 1))
        assert not again.done()
        with pytest.raises(Refused) as caught:
            await again
        assert caught.value.status == 429
        assert time.monotonic() - began >= REST_S


@contextlib.asynccontextmanager
async def bounds_of(stack: Stack, saves_a_minute: int, rest_s: float = 0.0) -> AsyncIterator[Limits]:
    """What a worker knows of its pupils, without the worker."""
    valkey = connect(environment(stack.home, "engine")["ELUMITI_VALKEY_URL"])
    try:
        yield Limits(valkey, {}, saves_a_minute, re_entries=2, rest_s=rest_s)
    finally:
        await valkey.aclose()


async def test_so_many_refusals_rest_at_a_time_and_the_next_is_told_at_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is bounded, however many lines somebody opens."""
    monkeypatch.setattr(bounds, "RESTING_AT_MOST", 1)
    async with bounds_of(stack, 10, rest_s=60) as limits:
        first = asyncio.create_task(limits.rest())
        await asyncio.sleep(0)
        await asyncio.wait_for(limits.rest(), 5)
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limits.rest(), 0.1)


async def test_many_saves_of_one_pupil_wait_for_their_turns(stack: Stack) -> None:
    """Three at once, the others evenly; who does not wait for his turn is refused, and the next pupil is free."""
    async with bounds_of(stack, 120) as limits:
        first, second = (Claims(attempt, 1, 0, 0, 0, 0, new_device()) for attempt in (987_654_321, 987_654_322))
        turns = [limits.admit(first) for _ in range(13)]
        assert turns[:3] == [0.0] * 3
        assert [round(turn, 1) for turn in turns[3:]] == [0.5 * number for number in range(1, 11)]
        with pytest.raises(Problem) as caught:
            limits.admit(first)
        assert ("retry-after", "5") in caught.value.headers
        assert limits.admit(second) == 0.0
        # Nor is the child who has this attempt on a device of his own, whatever a stranger with his slip does.
        assert limits.admit(Claims(first.attempt, 1, 0, 0, 0, 0, new_device())) == 0.0


async def test_of_more_pupils_than_are_counted_the_oldest_are_forgotten_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever saved last keeps his turns: nobody gets a minute anew because the nation is large."""
    monkeypatch.setattr(bounds, "COUNTED_AT_MOST", 2)
    async with bounds_of(stack, 120) as limits:
        nation = [Claims(attempt, 1, 0, 0, 0, 0, new_device()) for attempt in range(987_654_330, 987_654_334)]
        for claims in nation:
            for _ in range(3):
                assert limits.admit(claims) == 0.0
        limits.forget()
        assert [limits.admit(claims) > 0 for claims in nation] == [False, False, True, True]


async def test_a_minute_of_saves_has_an_end_however_patient_he_is(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "LONGEST_TURN_S", 60)
    async with bounds_of(stack, 120) as limits:
        claims = Claims(987_654_323, 1, 0, 0, 0, 0, new_device())
        # Three at once, and those whose turns fill the minute; the next is refused.
        waits = [limits.admit(claims) for _ in range(3 + 120)]
        assert round(waits[-1]) == 60
        with pytest.raises(Problem) as caught:
            limits.admit(claims)
        assert ("retry-after", "60") in caught.value.headers


async def test_who_saves_evenly_never_waits(stack: Stack) -> None:
    """However long, and sooner now and then: a phone that catches up between two ordinary saves."""
    async with bounds_of(stack, 6000) as limits:
        claims = Claims(987_654_323, 1, 0, 0, 0, 0, new_device())
        for _ in range(20):
            assert [limits.admit(claims) for _ in range(3)] == [0.0] * 3
            await asyncio.sleep(0.035)


async def test_whose_log_is_long_reads_at_his_re_entry_no_more_than_others(begin: Begin, db: Db) -> None:  # noqa: F811
    """The newest of each item is what he sees; 2 000 older ones are not even fetched."""
    scene, pupil = await begin()
    first, second, *_ = scene.items.values()
    for start in range(1, 2001, 200):
        await send(pupil, views(first, start, 200))
    last = [
        {"seq": 2001, "kind": "mark", "item": first},
        {"seq": 2002, "kind": "answer", "item": second, "value": 1},
        {"seq": 2003, "kind": "unmark", "item": first},
        {"seq": 2004, "kind": "answer", "item": second, "value": 2},
        {"seq": 2005, "kind": "mark", "item": second},
        {"seq": 2006, "kind": "view", "item": second},
        {"seq": 2007, "kind": "language", "value": "ru"},
    ]
    await send(pupil, last)
    await kept(db, pupil.attempt, 2007)
    seen = await pupil.call("POST", "/v1/resume", {"device": pupil.device})
    assert seen["answers"] == {str(second): {"value": 2, "seq": 2004}}
    assert (seen["marked"], seen["place"], seen["language"]) == ([second], second, "ru")
    rows = await db.fetch(kept_reads.EVENTS, scene.sitting, [pupil.attempt])
    assert [row["seq"] for row in rows] == [2000, 2003, 2004, 2005, 2006, 2007]


async def test_who_came_back_in_vain_has_used_nothing_up(stack: Stack) -> None:
    """Postgres was away: the child who tried and tried meets no «slow down» when it is there again."""
    claims = Claims(987_654_321, 1, 0, 0, 0, 0, new_device())
    valkey = connect(environment(stack.home, "engine")["ELUMITI_VALKEY_URL"])
    async with contextlib.aclosing(valkey), bounds_of(stack, 10) as limits:
        for _ in range(9):
            await limits.re_enter(claims, "resume")
            await limits.take_back(claims, "resume")
        await limits.re_enter(claims, "resume")
        await limits.re_enter(claims, "resume")
        with pytest.raises(Problem) as caught:
            await limits.re_enter(claims, "resume")
        assert caught.value.code == "slow-down"
        await limits.take_back(claims, "have")
        assert not await valkey.keys(f"asked:have:{claims.attempt}*")


async def test_who_guesses_codes_waits_and_those_who_share_his_address_do_not(strict: tuple[str, Scene]) -> None:
    """A whole school has one address: codes that nobody has are limited there, codes of children are not."""
    url, scene = strict
    pupil = Pupil(url, scene.seats[2])
    await eventually(pupil.sign_in)
    first = await refused_as(lambda: pupil.sign_in(code=draw_code()), "code-unknown")
    assert first.status == 401

    async def limited() -> None:
        refused = await refused_as(lambda: pupil.sign_in(code=draw_code()), "slow-down")
        assert refused.status == 429

    await eventually(limited, every_s=0)
    for _ in range(4):
        await pupil.sign_in()


@pytest.mark.parametrize("encoding", ["gzip", "Deflate"])
async def test_a_compressed_body_is_not_inflated(begin: Begin, encoding: str) -> None:  # noqa: F811
    """No bomb, for nothing is inflated: 415 with the reason, wherever a body is taken."""
    import zlib

    _, pupil = await begin(key=False)
    squeezed = zlib.compress(b'{"attempt":1,"events":[]}' + b" " * 10_000_000)
    assert len(squeezed) < 65_536
    for path in ("/v1/save", "/v1/finish"):
        refused = await refused_as(
            lambda p=path: pupil.call("POST", p, squeezed, **{"content-encoding": encoding}), "encoding-refused"
        )
        assert refused.status == 415
    refused = await refused_as(
        lambda: pupil.call("POST", "/v1/sign-in", b"\x1f\x8b", **{"content-encoding": encoding}), "encoding-refused"
    )
    assert refused.problem["encoding"] == encoding.lower()
    pupil.note("blur")
    await pupil.save_until_durable()


async def test_hostile_pupils_among_honest_ones(stack: Stack, owner_url: str, service: str, db: Db) -> None:  # noqa: F811
    """Five of twenty send rubbish, floods and poison; of the honest nobody is refused, and everything of theirs is stored."""
    scene = await make_sitting(stack, owner_url, pupils=20)
    pupils = [Pupil(service, seat) for seat in scene.seats]
    item = next(iter(scene.items.values()))
    for pupil in pupils:
        await eventually(pupil.sign_in)
    hostile, honest = pupils[:5], pupils[5:]
    stop = asyncio.Event()

    async def rage(pupil: Pupil) -> None:
        deep = b'{"attempt":%d,"events":[{"seq":1,"kind":"answer","item":1,"value":%s%s}]}' % (
            *(pupil.attempt, b"[" * 20_000, b"]" * 20_000),
        )
        odd: list[bytes] = [
            deep,
            b"\xff" * 60_000,
            b'{"attempt":%d,"events":[%s]}' % (pupil.attempt, b"{}," * 15_000),
            json.dumps({"attempt": pupil.attempt, "events": views(item, 1, 200)}).encode(),
            json.dumps(
                {"attempt": pupil.attempt, "events": [{"seq": 1, "kind": "report", "item": 1, "value": "\0"}]}
            ).encode(),
        ]
        while not stop.is_set():
            for body in odd:
                try:
                    await pupil.call("POST", "/v1/save", body)
                except Refused as refused:
                    assert refused.status in {400, 429}, refused

    raging = [asyncio.create_task(rage(pupil)) for pupil in hostile]
    try:
        for round_ in range(4):
            for pupil in honest:
                pupil.answer(item, round_)
                await pupil.save()
        for pupil in honest:
            await pupil.save_until_durable()
    finally:
        stop.set()
        await asyncio.gather(*raging)
    for pupil in honest:
        await kept(db, pupil.attempt, 4)


async def test_poison_of_one_pupil_stays_apart_from_the_others(bench: Bench) -> None:  # noqa: F811
    """A batch with a hostile body commits the rest; his next ones stand alone, and beyond the cap are searched no more."""
    hostile, honest = bench.attempts[0], bench.attempts[1]
    device = new_device()

    def poison(first: int, count: int) -> SaveRecord:
        events = [StoredEvent(seq, 1, 7, "a\x00b", None, 0, 0, again=False) for seq in range(first, first + count)]
        return SaveRecord(bench.sitting, hostile, device, 1, 0, events)

    async with bench.writer() as commits:
        for seq in range(1, 11):
            commits.join(poison(seq, 1))
            await commits.join(save_record(bench.sitting, honest, {seq: "1"}))
    written = await bench.round()
    assert (written.dead, await bench.dead()) == (10, 10)
    assert [seq for attempt, seq, _ in await bench.rows() if attempt == honest] == list(range(1, 11))
    async with bench.writer() as commits:
        for seq in range(11, 211):
            commits.join(poison(seq, 1))
        commits.join(save_record(bench.sitting, hostile, {500: "1"}, device))
        await commits.join(save_record(bench.sitting, honest, {11: "1"}))
    written = await bench.round()
    rows = await bench.rows()
    assert (honest, 11, "1") in rows
    letters = await bench.dead()
    # Searched one by one to the cap; what is left is a few whole letters, not two hundred.
    assert POISON_CAP <= letters <= POISON_CAP + 10
    assert any(getattr(news, "limit", "") == "poison" for news in written.news)
    known = await bench.db.fetchrow("select name, times from attempt_limit where attempt_id = $1", hostile)
    assert known["name"] == "poison"
    payloads = await bench.db.fetch("select payload from dead_letter where stream = any($1::bigint[])", bench.streams)
    assert sum(row["payload"].count(b"a\x00b") for row in payloads) == 210, "nothing of it is lost"
    async with bench.writer() as commits:
        await commits.join(poison(600, 100))
    assert (await bench.round()).dead == 1
