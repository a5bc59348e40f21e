"""`live_views`: how many views at a time one forwarder passes on, at what CPU a view and with how many packets lost.

Phones and viewers are processes of their own on the same machine; what they take is named apart.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING

import asyncpg
import psutil

from infra.live_tickets import LiveClaims, sign
from infra.local import decode_key, environment
from infra.parts.supervisor import command_argv
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.stack import fresh_stack
from loadtest.scene import make_scene

if TYPE_CHECKING:
    from infra.database import Db
    from infra.parts.supervisor import Stack

NUMBERS, SECONDS = "25,50,100,200", 60.0
# Beyond it a picture stands still now and then.
MOST_LOST = 0.005
CONNECT_S = 120.0


async def measure(numbers: str, seconds: float) -> None:
    """Each number in turn, on one forwarder."""
    wanted = [int(number) for number in numbers.split(",")]
    said: list[str] = []
    borne = 0
    async with fresh_stack() as stack:
        db = await _children(stack, max(wanted))
        stack.overrides["live"] = {"ELUMITI_LIVE_MOST_VIEWS": str(max(wanted))}
        await stack.start_process("live", "live", command_argv("live"), stack.home.ports.live)
        for number in wanted:
            taken, phones, viewers = await _run(stack, db, number, seconds)
            lost = 1 - viewers["received"] / max(1, viewers["expected"])
            packets = viewers["received"] / seconds
            if lost <= MOST_LOST and not viewers["silent"]:
                borne = max(borne, number)
            said.append(
                f"{number} views: {100 * taken / seconds / number:.2f} % of a core each ({packets:.0f} packets/s, "
                f"{1e6 * taken / max(1, viewers['received']):.0f} µs a packet), {100 * lost:.2f} % lost, "
                f"phones {phones['cpu'] / seconds:.2f} and viewers {viewers['cpu'] / seconds:.2f} cores beside it"
            )
            print(said[-1], flush=True)
            await asyncio.sleep(3)
        await db.close()
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    basis = f"{seconds:.0f} s each, 150 kbit/s at 10 frames a second; {'; '.join(said)}; load of the machine {load}"
    write(Figure(metric="live_views", value=borne, unit="views at a time", basis=basis))


async def _children(stack: Stack, how_many: int) -> asyncpg.Connection[asyncpg.Record]:
    """A proctored sitting whose children may be looked at; a connection as owner."""
    owner = stack.owner_url
    pack = {**os.environ, **environment(stack.home, "pack")}
    scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), how_many)
    db = await asyncpg.connect(owner, command_timeout=300)
    await db.execute("insert into sitting_watch (sitting_id) values ($1)", scene.sitting)
    await db.execute("insert into staff (login, full_name, password_hash) values ('bench', 'Bench', 'x')")
    await db.execute(
        """
        with made as (
            insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
            select p.last_name, p.first_name, p.id::text, 'x', p.birth_date, 'kk', (select min(code) from region)
            from participant p
            returning id, name_key
        ), agreed as (
            insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on)
            select id, 'camera', 'Анасы', 'mother', '1', 'kk', 'paper', current_date from made
        )
        update participant p set person_id = made.id from made where made.name_key = p.id::text
        """
    )
    return db


async def _run(stack: Stack, db: Db, number: int, seconds: float) -> tuple[float, dict[str, float], dict[str, float]]:
    base = f"http://{stack.home.address}:{stack.home.ports.live}"
    await db.execute(
        """
        insert into watch_hand (attempt_id, sitting_id, staff_id)
        select id, sitting_id, (select min(id) from staff) from participant
        on conflict do nothing
        """
    )
    rows = await db.fetch(
        """
        insert into watch_live (attempt_id, sitting_id, staff_id, forwarder, waits_until)
        select p.id, p.sitting_id, (select min(id) from staff), $1, now() + interval '10 minutes'
        from participant p
        order by p.id
        limit $2
        returning id, attempt_id
        """,
        *(base, number),
    )
    key, expires = decode_key(stack.secrets.live_key), int(time.time()) + 600

    async def side(role: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest.bench.live_sides", role, base),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        tickets = [sign(key, LiveClaims(role, row["id"], row["attempt_id"], expires)) for row in rows]  # type: ignore[arg-type]
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(tickets).encode() + b"\n")
        answer = await asyncio.wait_for(process.stdout.readline(), CONNECT_S)
        if answer.strip() != b"ready":
            raise RuntimeError(f"{role}: not connected")
        return process

    sides = [await side("watch"), await side("publish")]
    try:
        await asyncio.sleep(2)
        pid = stack.parts["live"].pid
        assert pid is not None
        meter = Meter({"live": pid})
        await asyncio.gather(*(_say(one, b"go") for one in sides))
        await asyncio.sleep(seconds)
        taken = meter.taken()["live"]
        counts = [json.loads(await _told(one)) for one in reversed(sides)]
    finally:
        for one in sides:
            if one.returncode is None:
                one.terminate()
            await one.wait()
        await db.execute("update watch_live set ended_at = now(), why = 'lost' where ended_at is null")
    return taken, counts[0], counts[1]


async def _say(process: asyncio.subprocess.Process, word: bytes) -> None:
    assert process.stdin
    process.stdin.write(word + b"\n")
    await process.stdin.drain()


async def _told(process: asyncio.subprocess.Process) -> bytes:
    await _say(process, b"stop")
    assert process.stdout
    return await asyncio.wait_for(process.stdout.readline(), 20)
