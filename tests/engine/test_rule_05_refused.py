"""Rules 5 and 7: a refused event is settled, leaves no gap, and never keeps a child from his receipt."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.support.pupil import Pupil, log_hash
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

    from tests.engine.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]

# Each is refused for another reason (docs/protocol.md, save).
REFUSED = [
    ("answer", "a\x00b"),
    ("answer", "x" * 5000),
    ("answer", [["too deep"]]),
    ("dance", 1),
    ("language", 7),
    ("finish", {"count": "many"}),
]


async def test_a_refused_number_is_settled_and_the_receipt_comes(begin: Begin, db: Db) -> None:
    """Postgres holds the number and nothing of the content; the hash knows it as refused."""
    scene, pupil = await begin()
    items = list(scene.items.values())
    pupil.answer(items[0], 1)
    for kind, value in REFUSED:
        pupil.note(kind, items[1], value)
    pupil.answer(items[2], 1)
    reply = await pupil.save()
    assert [one["seq"] for one in reply["refused"]] == [2, 3, 4, 5, 6, 7]
    final = await pupil.finish()
    assert final["count"] == 2
    rows = await db.fetch(
        "select seq, kind, item, value from response_event where attempt_id = $1 and kind = 14 order by seq",
        pupil.attempt,
    )
    assert [tuple(row) for row in rows] == [(seq, 14, None, None) for seq in (2, 3, 4, 5, 6, 7)]
    digest = await db.fetchval("select digest from seal where attempt_id = $1", pupil.attempt)
    assert digest.hex() == log_hash(pupil.log[:-1], pupil.refused)
    have = await pupil.call("POST", "/v1/have", {"device": pupil.device})
    assert have["have"] == [[1, 9]]


async def test_nobody_can_send_the_mark_of_a_refusal_himself(begin: Begin) -> None:
    _, pupil = await begin()
    pupil.note("refused")
    assert (await pupil.save())["refused"] == [{"seq": 1, "code": "kind-unknown"}]


async def test_a_batch_of_refused_events_alone_is_answered_with_a_receipt(begin: Begin) -> None:
    _, pupil = await begin()
    pupil.note("dance")
    reply = await pupil.save()
    assert reply["refused"]
    assert reply["receipt"]
    await eventually(lambda: settled(pupil))


async def settled(pupil: Pupil) -> None:
    """Postgres holds all numbers of the log."""
    have = await pupil.call("POST", "/v1/have", {"device": pupil.device})
    assert have["have"] == [[1, len(pupil.log)]]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_is_refused_and_whichever_replies_are_lost_there_is_a_receipt(
    begin: Begin, db: Db, seed: int
) -> None:
    """Handed in at any moment, with verdicts heard late or twice: the last hand-in's hash agrees in the end."""
    random = Random(seed)
    scene, pupil = await begin()
    items = list(scene.items.values())
    good: dict[int, int] = {}

    def do_something() -> None:
        if random.random() < 0.4:
            kind, value = random.choice(REFUSED)
            pupil.note(kind, random.choice(items), value)
        else:
            item, value = random.choice(items), random.randrange(100)
            good[item] = value
            pupil.answer(item, value)

    async def save(path: str = "/v1/save") -> None:
        if random.random() < 0.5:
            await pupil.save(path)
            return
        # The reply is lost on the way: the device knows nothing of the verdicts.
        body = pupil.batch()
        pupil.sent |= {event["seq"] for event in body["events"]}
        await pupil.call("POST", path, body)

    for _ in range(12):
        do_something()
        if random.random() < 0.5:
            await save()
    pupil.finish_event()
    await save("/v1/finish")
    limit = time.monotonic() + 20
    while "final" not in pupil.last:
        assert time.monotonic() < limit, pupil.last
        pupil.hand_in_again()
        await save()
        await asyncio.sleep(0.1)
    digest = await db.fetchval("select digest from seal where attempt_id = $1", pupil.attempt)
    finish = max(event["seq"] for event in pupil.log if event["kind"] == "finish" and event["seq"] not in pupil.refused)
    assert digest.hex() == log_hash(pupil.log[: finish - 1], pupil.refused)
    resumed = await pupil.call("POST", "/v1/resume", {"device": pupil.device})
    assert {int(item): answer["value"] for item, answer in resumed["answers"].items()} == good
