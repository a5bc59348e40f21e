"""A server that is slow at the bell: the generator still plays every pupil to his end."""

from __future__ import annotations

import asyncio
import json
import time

from loadtest.course import Step
from loadtest.nation.courses import Course
from loadtest.nation.drive import Driver
from loadtest.nation.scenario import Nation
from loadtest.scene import BenchScene
from loadtest.wire import Pool

# Longer than the test and the hand-in's spread together: whoever is answered is answered after all of it.
ANSWER_S = 0.5
COMMON = {"now": "t", "token": "x", "manifest": "m", "generation": 1, "next_save_s": 1}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keys at once, saves when it is too late for a calm hand-in."""
    stored = 0
    while head := await reader.readuntil(b"\r\n\r\n"):
        lines = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:] if line)
        body = await reader.readexactly(int(lines.get(b"content-length", b"0")))
        path = head.split()[1]
        reply = dict(COMMON)
        if path in {b"/v1/save", b"/v1/finish"}:
            await asyncio.sleep(ANSWER_S)
            asked = json.loads(body)
            reply["open"] = ["durable"] * len(asked["open"])
            if asked["events"]:
                stored += 1
                reply["receipt"] = f"1-{stored}-0"
            if path == b"/v1/finish" or (stored and not asked["events"]):
                reply["final"] = {"code": "AAAA-AAAA", "at_ms": 1, "count": 0}
        text = json.dumps(reply).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))


async def test_a_pupil_whose_last_save_came_back_after_the_bell_hands_in_all_the_same() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    nation = Nation(
        candidates=4,
        minutes=0.3 / 60,
        save_every_s=0.1,
        calm_before_s=0.1,
        spread_s=0.05,
        hand_in_s=0.05,
        prefetch=False,
        drops=0,
        second_devices=0,
        re_entries=0,
        lost_acks=0,
        settle_s=15,
    )
    pool = Pool("127.0.0.1", port)
    await pool.open(4)
    course = Course([Step(at / 100, "view", 1) for at in range(20)])
    scene = BenchScene(sitting=1, items=[1], seats=[(number, f"code{number}") for number in range(4)])
    driver = Driver(nation, scene, [course], pool, f"127.0.0.1:{port}", time.perf_counter() + 0.3)
    await driver.run()
    pool.close()
    server.close()
    assert driver.record.counts["final receipts"] == 4
    assert driver.left == 0
