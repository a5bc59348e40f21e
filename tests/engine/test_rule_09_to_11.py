"""Rules 9, 10 and 11: time, controls, the bound of memory; and the release of keys."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.bundles.pack import open_file
from engine.group_commit import GroupCommit
from engine.problems import Problem
from engine.protocol import CONTROL_STREAM
from infra.local import decode_key
from tests.support.pupil import Pupil, Refused
from tests.support.streams import save_record
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    import asyncpg
    import redis.asyncio

    from tests.engine.conftest import Begin
    from tests.support.streams import Bench

    Db = asyncpg.Connection[asyncpg.Record]


async def test_the_key_comes_at_t0_and_not_a_millisecond_before(begin: Begin) -> None:
    scene, pupil = await begin(key=False, starts_in_s=4)
    early = 0
    while True:
        try:
            reply = await pupil.start()
            break
        except Refused as refused:
            if refused.problem["code"] == "try-later":
                continue
            assert refused.problem["code"] == "too-early"
            assert int(refused.headers["retry-after"]) >= 1
            starts_ms = refused.problem["starts_ms"]
            early += 1
        await asyncio.sleep(0.01)
    assert early > 0
    assert reply["started_ms"] >= starts_ms
    assert reply["started_ms"] - starts_ms < 1500
    assert reply["deadline_ms"] == reply["started_ms"] + 3_600_000
    assert scene.sitting


async def test_the_key_opens_the_bundle_and_the_start_is_for_ever(begin: Begin, db: Db, service: str) -> None:
    scene, pupil = await begin()
    signed_in = await pupil.sign_in()
    manifest = await pupil.call("GET", f"/v1/bundles/{signed_in['manifest']}")
    for file in manifest["files"]:
        body = await fetch(service, file["name"])
        key = decode_key(pupil.keys["keys"][f"{file['section']}/{file['language']}"])
        plain = open_file(key, file["id"], body)
        if file["kind"] == "text":
            text = json.loads(plain)
            assert {item["id"] for item in text["items"]} == set(scene.items.values())
    first = pupil.keys["started_ms"]

    async def known() -> None:
        started = await db.fetchval(
            "select (extract(epoch from started_at) * 1000)::bigint from attempt where id = $1", pupil.attempt
        )
        assert started == first

    await eventually(known)

    async def the_same_start() -> None:
        for _ in range(4):
            await pupil.sign_in()
            assert (await pupil.start())["started_ms"] == first

    await eventually(the_same_start)


async def fetch(service: str, name: str) -> bytes:
    """A bundle's file."""
    import httpx

    async with httpx.AsyncClient(verify=False) as client:
        return (await client.get(f"{service}/v1/bundles/{name}")).content


async def test_after_the_last_entry_nobody_begins_who_has_not_begun(begin: Begin) -> None:
    _, late = await begin(key=False, starts_in_s=-30, last_entry_s=10)

    async def closed() -> None:
        refused = await refused_as(late.start, "entry-closed")
        assert refused.problem["help"]["phone"]

    await eventually(closed)


async def put_control(db: Db, sitting: int, scope: str, scope_id: object, kind: str, body: object) -> int:
    """A control as the portal writes it."""
    async with db.transaction():
        version = await db.fetchval(
            "update sitting set control_version = control_version + 1 where id = $1 returning control_version", sitting
        )
        await db.execute(
            "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, $2, $3, $4, $5, $6)",
            *(sitting, scope, str(scope_id), version, kind, json.dumps(body)),
        )
    return version


async def test_controls_reach_those_they_concern_on_the_next_save_and_move_the_deadline(
    begin: Begin, db: Db, service: str
) -> None:
    scene, pupil = await begin(pupils=2)
    other = Pupil(service, scene.seats[1])
    await eventually(other.sign_in)
    await eventually(other.start)
    await put_control(db, scene.sitting, "attempt", pupil.attempt, "extra", {"extra_s": 600})
    await put_control(db, scene.sitting, "sitting", scene.sitting, "message", {"text": {"kk": "Сәлем"}})
    # Absolute values: the newest of a scope stands, scopes add up.
    await put_control(db, scene.sitting, "attempt", pupil.attempt, "extra", {"extra_s": 300})
    await put_control(db, scene.sitting, "sitting", scene.sitting, "extra", {"extra_s": 60})

    async def heard(who: Pupil) -> dict[str, object]:
        who.controls = 0
        reply = await who.save(events=[])
        assert reply["controls"]["version"] == 4
        return reply

    mine = await eventually(lambda: heard(pupil))
    assert [item["kind"] for item in mine["controls"]["items"]] == ["extra", "message", "extra", "extra"]
    assert mine["deadline_ms"] == pupil.keys["deadline_ms"] + 360_000
    theirs = await eventually(lambda: heard(other))
    assert [item["kind"] for item in theirs["controls"]["items"]] == ["message", "extra"]
    assert theirs["deadline_ms"] == other.keys["deadline_ms"] + 60_000
    assert "controls" not in await other.save(events=[])
    # The player says that it applied one; staff see when.
    other.note("control", value=2)
    await other.save_until_durable()
    assert await db.fetchval("select 1 from control_seen where attempt_id = $1 and version = 2", other.attempt)


async def test_a_paused_start_holds_the_key_back_and_an_end_ends(begin: Begin, db: Db) -> None:
    scene, pupil = await begin(key=False)
    await put_control(db, scene.sitting, "sitting", scene.sitting, "pause", {"since_ms": int(time.time() * 1000)})

    async def held() -> None:
        for _ in range(4):
            await refused_as(pupil.start, "too-early")

    await eventually(held)
    await put_control(db, scene.sitting, "sitting", scene.sitting, "resume", {"paused_s": 30})
    reply = await eventually(pupil.start)
    assert reply["deadline_ms"] == reply["started_ms"] + 3_600_000 + 30_000
    await put_control(db, scene.sitting, "sitting", scene.sitting, "end", {"at_ms": int(time.time() * 1000)})

    async def over() -> None:
        for _ in range(4):
            await refused_as(pupil.start, "sitting-over")

    await eventually(over)
    # What the child did is still taken.
    pupil.answer(next(iter(scene.items.values())), 1)
    await pupil.save_until_durable()


async def test_before_memory_is_full_saves_get_503_and_nothing_is_dropped(bench: Bench) -> None:
    """Rule 11: too much waiting in a worker, or Valkey near its bound: refused clearly, with a random Retry-After."""
    commits = GroupCommit(bench.url, bench.register, bench.retire, pending_bytes=2000)
    await commits.open()
    waiting = [commits.join(save_record(bench.sitting, bench.attempts[0], {1: "1"}))]
    with pytest.raises(Problem) as caught:
        for seq in range(2, 200):
            waiting.append(commits.join(save_record(bench.sitting, bench.attempts[0], {seq: "1"})))
    assert caught.value.status == 503
    assert 15 <= int(dict(caught.value.headers)["retry-after"]) <= 60
    for future in waiting:
        await future
    commits.full = True
    with pytest.raises(Problem):
        commits.join(save_record(bench.sitting, bench.attempts[0], {500: "1"}))
    commits.full = False
    await commits.close()
    await bench.round()
    assert len(await bench.rows()) == len(waiting)


async def test_near_the_bound_of_valkeys_memory_a_save_is_refused_and_kept(
    begin: Begin, valkey: redis.asyncio.Redis
) -> None:
    """The phone hears when to come again; once there is room it sends the same answers, and they are durable."""
    _, pupil = await begin()

    async def refused_by_each() -> Refused:
        """Whichever worker answers."""
        refusals = []
        for _ in range(4):
            pupil.note("blur")
            refusals.append(await refused_as(pupil.save, "try-later"))
        return refusals[-1]

    pupil.answer(1, 1)
    bound = (await valkey.info("memory"))["maxmemory"]
    try:
        used = (await valkey.info("memory"))["used_memory"]
        await valkey.config_set("maxmemory", int(used / 0.9))
        refusal = await eventually(refused_by_each)
    finally:
        await valkey.config_set("maxmemory", bound)
    assert refusal.status == 503
    assert 15 <= int(refusal.headers["retry-after"]) <= 60
    await eventually(pupil.save_until_durable)


async def test_news_of_a_newer_release_do_not_make_a_worker_deaf(begin: Begin, valkey: redis.asyncio.Redis) -> None:
    """While releases change, a flusher may tell what an engine does not know: it goes on hearing the rest."""
    _, pupil = await begin(key=False)
    await valkey.xadd(CONTROL_STREAM, {b"n": msgspec.msgpack.encode([["of-a-later-year", 1]])})
    for _ in range(4):
        pupil.note("blur")
        await pupil.save_until_durable()
