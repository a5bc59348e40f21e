"""What an outage costs the pupil: nothing. Parts are killed for real; who was kept out gets his time, others do not."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from engine.rooms.release import record
from infra.parts.supervisor import command_argv
from tests.support.pupil import Pupil, Refused
from tests.support.sittings import make_sitting
from tests.support.waiting import all_workers_ready, eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

OUT_S = 2.0
TROUBLE = (Refused, httpx.HTTPError)


class House:
    """The stack with its watcher and the portal's jobs, and a look into its Postgres."""

    def __init__(self, stack: Stack, loop: Loop, owner_url: str) -> None:
        self.stack, self._loop, self.owner_url = stack, loop, owner_url
        self.url = f"http://127.0.0.1:{stack.home.ports.engine}"
        self.page = f"http://127.0.0.1:{stack.home.ports.status}/"

    async def on_loop(self, work: Any) -> Any:
        """The parts live on the background loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop.loop))

    async def down(self, *names: str) -> None:
        for name in names:
            await self.on_loop(self.stack.parts[name].down())

    async def up(self, *names: str) -> None:
        for name in names:
            await self.on_loop(self.stack.parts[name].up())

    async def sql(self, statement: str, *given: object) -> list[asyncpg.Record]:
        db = await asyncpg.connect(self.owner_url)
        try:
            return await db.fetch(statement, *given)
        finally:
            await db.close()

    async def feed(self) -> dict[str, Any]:
        async with httpx.AsyncClient(verify=False, timeout=5) as client:
            return (await client.get(self.page + "status.json")).json()

    async def story(self) -> str:
        """For who reads a failure: the newest outages as they are, and what the watcher logged last."""
        rows = await self.sql("select step, began_ms, ended_ms, is_over from outage order by id desc limit 12")
        log = self.stack.home.log("status-watch")
        lines = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        return "\n".join([*(str(dict(row)) for row in rows), *lines])

    async def says(self, **words: str) -> dict[str, Any]:
        """Wait until the page says this of these steps."""

        async def said() -> dict[str, Any]:
            feed = await self.feed()
            assert {step: feed["steps"][step]["word"] for step in words} == words
            return feed

        return await eventually(said, limit_s=30)


@pytest.fixture(scope="module")
def house(mortal: Stack, mortal_owner: str, loop: Loop) -> House:
    mortal.overrides["status"] = {"ELUMITI_PROBE_EVERY_S": "0.3"}

    async def start() -> None:
        await asyncio.gather(
            mortal.start_process("status", "status-page", command_argv("status-page"), mortal.home.ports.status),
            mortal.start_process("status-watch", "status", command_argv("status")),
            mortal.start_process("work", "portal", command_argv("work")),
        )

    loop.run(start(), 60)
    return House(mortal, loop, mortal_owner)


async def in_test(house: House, seat: object) -> Pupil:
    """Signed in, with his key, and at work."""
    pupil = Pupil(house.url, seat)  # type: ignore[arg-type]
    await eventually(pupil.sign_in, limit_s=30)
    await eventually(pupil.start)
    pupil.answer(1, 1)
    await pupil.save()
    return pupil


async def get_in(pupil: Pupil, step: str, work: Any) -> int:
    """Try until it works, as a phone does; tells the server how long it was in vain (ms)."""
    began = time.monotonic()
    failed = 0
    while True:
        try:
            await work()
            break
        except TROUBLE as error:
            assert not isinstance(error, Refused) or error.status in {500, 503}, error
            failed += 1
            await asyncio.sleep(0.1)
    for_ms = round(1000 * (time.monotonic() - began))
    assert failed
    pupil.note("tried", value={"step": step, "for_ms": for_ms})
    return for_ms


async def credited(pupil: Pupil) -> dict[str, Any]:
    """Save as usual until a reply brings the credit."""

    async def heard() -> dict[str, Any]:
        reply = await pupil.save()
        assert any(one["kind"] == "credit" for one in (reply.get("controls") or {"items": []})["items"])
        return reply

    return await eventually(heard, limit_s=30)


async def test_who_could_not_come_back_gets_his_minutes_and_others_do_not(house: House) -> None:
    """The engine is gone for some seconds: a dead phone's owner waits, a neighbour works on, two claim more than was."""
    scene = await make_sitting(house.stack, house.owner_url, pupils=5)
    unlucky, busy, boaster, early, silent = [await in_test(house, seat) for seat in scene.seats]
    deadline = unlucky.keys["deadline_ms"]
    await house.says(sign_in="works", start="works", saving="works")
    # It claims a time in which everything worked.
    early.note("tried", value={"step": "resume", "for_ms": 4000})
    await early.save()
    other_phone = Pupil(house.url, scene.seats[0])
    await house.down("engine")
    trying = asyncio.create_task(get_in(other_phone, "sign-in", other_phone.sign_in))
    await asyncio.sleep(OUT_S)
    for pupil in (busy, boaster):
        pupil.answer(2, 2)
    await house.up("engine")
    # One worker serves before the other: for the watcher that is one more outage, short and true.
    await all_workers_ready(house.url)
    for_ms = await trying
    # He says that he was kept out all the time, and answered until the very end of it.
    boaster.answer(3, 3)
    boaster.note("tried", value={"step": "sign-in", "for_ms": 60_000})
    for pupil in (busy, boaster, silent):
        await eventually(pupil.save)
    reply = await credited(other_phone)
    rows = await house.sql("select * from credit where sitting_id = $1", scene.sitting)
    assert [row["attempt_id"] for row in rows] == [unlucky.attempt], (rows, await house.story())
    (row,) = rows
    assert OUT_S - 1 <= row["clock_s"] <= -(-for_ms // 1000)
    # The clock moves with the very reply that tells of it.
    assert reply["deadline_ms"] == deadline + 1000 * row["clock_s"]
    outages = await house.sql(
        "select step, ended_ms - began_ms as ms from outage where id = any($1::bigint[])",
        [int(number) for number in json.loads(row["parts"])],
    )
    assert {one["step"] for one in outages} == {"sign-in"}
    acts = await house.sql("select object_id, after from audit where act = 'control.credit.given'")
    assert [(act["object_id"], json.loads(act["after"])["credit_s"]) for act in acts] == [
        (str(unlucky.attempt), row["clock_s"])
    ]


async def test_valkey_away_at_t0_keeps_children_out_of_a_sitting_with_one_end(house: House) -> None:
    """Sign-in needs Valkey: its time counts from T0. The key does not: who was inside the waiting room got it."""
    scene = await make_sitting(house.stack, house.owner_url, ends_s=3600)
    inside = Pupil(house.url, scene.seats[1])
    await eventually(inside.sign_in, limit_s=30)
    await house.says(sign_in="works")
    late = Pupil(house.url, scene.seats[0])
    await house.down("valkey")
    trying = asyncio.create_task(get_in(late, "sign-in", late.sign_in))
    await asyncio.sleep(OUT_S)
    await inside.start()
    await house.up("valkey")
    await trying
    await late.start()
    end = late.keys["deadline_ms"]
    reply = await credited(late)
    (row,) = await house.sql("select attempt_id, clock_s from credit where sitting_id = $1", scene.sitting)
    assert row["attempt_id"] == late.attempt
    assert reply["deadline_ms"] == end + 1000 * row["clock_s"] > end
    # Weighed again by two at once: nothing more.
    from portal.core.db import open_pool
    from portal.core.given_back import weigh_once

    pool = await open_pool(house.owner_url, 2)
    await house.sql("update tried set weighed_at = null")
    async with pool.acquire() as one, pool.acquire() as two:
        await asyncio.gather(weigh_once(one), weigh_once(two))
    await pool.close()
    again = await house.sql("select kind from control where sitting_id = $1", scene.sitting)
    assert [control["kind"] for control in again] == ["credit"]


async def test_who_was_kept_out_past_the_last_entry_may_still_come_in(house: House) -> None:
    """The entry closes while the engine is away: it stays open for as long, and a little to get in."""
    scene = await make_sitting(house.stack, house.owner_url)
    pupil, lazy = (Pupil(house.url, seat) for seat in scene.seats)
    for one in (pupil, lazy):
        await eventually(one.sign_in, limit_s=30)
    await house.says(start="works")
    await house.down("engine")
    trying = asyncio.create_task(get_in(pupil, "key", lambda: entered(pupil)))
    await asyncio.sleep(OUT_S / 2)
    # Nobody looks at the clock in between: the entry closes now, a second after he began to try.
    await house.sql("update sitting set last_entry_at = now() where id = $1", scene.sitting)
    await asyncio.sleep(OUT_S / 2)
    await house.up("engine")
    await trying
    await credited(pupil)
    await eventually(pupil.start)
    assert "keys" in pupil.keys
    with pytest.raises(Refused) as refused:
        await lazy.start()
    assert refused.value.problem["code"] == "entry-closed"


async def entered(pupil: Pupil) -> None:
    """The key, or the word that the entry is over: the step works again."""
    try:
        await pupil.start()
    except Refused as refused:
        if refused.problem["code"] != "entry-closed":
            raise


async def test_the_status_page_says_what_does_not_work_and_outlives_everything(house: House) -> None:
    """Engine, Valkey, Postgres, portal and even the watcher are gone: the page is served, and says that it is old."""
    scene = await make_sitting(house.stack, house.owner_url)
    db = await asyncpg.connect(house.owner_url)
    await record(db, "room.codes.opened", scene.sitting, {"codes": 0})
    await db.close()

    async def told() -> None:
        feed = await house.feed()
        assert feed["sittings"]
        assert feed["heads"]

    await eventually(told)
    await house.says(sign_in="works", start="works", saving="works", results="off")
    known = (await house.sql("select coalesce(max(id), 0) as newest from outage"))[0]["newest"]
    await house.down("valkey")
    await house.says(sign_in="off", saving="off")
    await house.down("engine", "postgres")
    feed = await house.says(sign_in="off", start="off", saving="off")
    assert time.time() - feed["written_ms"] / 1000 < 60
    assert set(feed) == {"written_ms", "projects", "steps", "sittings", "incidents", "heads"}
    assert all(set(one) == {"project", "title", "starts_ms", "ends_ms"} for one in feed["sittings"])
    assert feed["sittings"]
    assert feed["heads"][0]["head"].partition(":")[2]
    folder = Path(house.stack.home.part("status"))

    async def noticed() -> None:
        # The page's words were there before: without Valkey nobody signs in or comes back, though page and keys are served.
        assert (folder / "waiting.json").exists()
        waiting = (folder / "waiting.json").read_text()
        assert all(f'"step":"{step}"' in waiting for step in ("page", "key"))

    await eventually(noticed)
    await house.down("status-watch")
    async with httpx.AsyncClient(verify=False, timeout=5, base_url=house.page) as client:
        fresh = await client.get("/")
        assert "Жүйеге кіру" in fresh.text
        assert "жұмыс істемейді" in fresh.text
        assert "Сәрсенов" not in fresh.text
        assert 'class="is-old"' not in fresh.text
        feed["written_ms"] -= 61_000
        (folder / "status.json").write_text(json.dumps(feed))

        async def old() -> None:
            for name, word in (("/", "ескірген"), ("/ru.html", "устарели"), ("/en.html", "are old")):
                page = await client.get(name)
                assert page.status_code == 200
                assert 'class="is-old"' in page.text
                assert word in page.text

        await eventually(old)
        assert (await client.get("/secrets.json")).status_code == 404
        assert (await client.get("/../secrets.json")).status_code == 404
    await house.up("postgres", "valkey", "engine", "status-watch")
    await house.says(sign_in="works", start="works", saving="works")

    async def written_down() -> None:
        rows = await house.sql(
            "select distinct step from outage where id > $1 and is_over and step <> 'results'", known
        )
        assert {row["step"] for row in rows} == {"page", "sign-in", "save", "key", "resume"}, await house.story()

    # What happened while Postgres was away is in Postgres.
    await eventually(written_down, limit_s=30)
