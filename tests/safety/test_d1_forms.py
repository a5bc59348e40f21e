"""SAFETY D1: a region is stopped and goes on, later, on the reserve form; the burnt form's key is served to nobody."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

    Db = asyncpg.Connection[asyncpg.Record]

REGION = "KZ-10"


@pytest.fixture
async def db(owner_url: str) -> AsyncIterator[Db]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


async def order(db: Db, scene: Scene, version: int, kind: str, **body: object) -> None:
    """A control of the region, as the portal writes it."""
    await db.execute(
        "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, 'region', $2, $3, $4, $5)",
        *(scene.sitting, REGION, version, kind, json.dumps(body)),
    )


async def heard(pupil: Pupil, kind: str) -> dict[str, object]:
    """The body of a control of this kind, as soon as a save's reply brings it."""

    async def look() -> dict[str, object]:
        pupil.controls = 0
        reply = await pupil.save(events=[])
        return {one["kind"]: one["body"] for one in reply["controls"]["items"]}[kind]

    return await eventually(look)


async def test_who_is_stopped_goes_on_with_the_reserve_alone(
    stack: Stack, service: str, owner_url: str, db: Db
) -> None:
    """One had started, one was waiting, one had handed in: after the restart the first two sit the reserve, anew."""
    scene = await make_sitting(stack, owner_url, pupils=3, reserve=True)
    started, waiting, done = (Pupil(service, seat) for seat in scene.seats)
    for pupil in (started, waiting, done):
        signed_in = await eventually(pupil.sign_in)
    assert signed_in["reserve"] not in {"", signed_in["manifest"]}
    opened = await eventually(started.start)
    await eventually(done.start)
    for pupil in (started, done):
        pupil.answer(scene.items["M01"], scene.options["M01"]["A"])
        await pupil.save_until_durable()
    await done.finish()

    await order(db, scene, 1, "stop", at_ms=round(time.time() * 1000))
    assert await heard(started, "stop")
    for pupil in (started, waiting, done):
        await eventually(lambda pupil=pupil: refused_as(pupil.start, "sitting-over"))

    starts_ms = round(time.time() * 1000) + 4_000
    last_entry_ms = starts_ms + 900_000
    body = {"starts_ms": starts_ms, "last_entry_ms": last_entry_ms, "manifest": signed_in["reserve"]}
    await order(db, scene, 2, "restart", **body)
    assert await heard(started, "restart") == body
    for pupil in (started, waiting):
        refused = await eventually(lambda pupil=pupil: refused_as(pupil.start, "too-early"))
        assert refused.problem["starts_ms"] == starts_ms
    signed_in = await waiting.sign_in()
    assert (signed_in["manifest"], signed_in["reserve"]) == (body["manifest"], "")
    assert (signed_in["sitting"]["starts_ms"], signed_in["sitting"]["last_entry_ms"]) == (starts_ms, last_entry_ms)

    for pupil in (started, waiting):
        reply = await eventually(pupil.start)
        assert not set(reply["keys"].values()) & set(opened["keys"].values())
        assert reply["started_ms"] >= starts_ms
        assert reply["deadline_ms"] == reply["started_ms"] + 3_600_000
        pupil.answer(scene.items["R01"], scene.options["R01"]["B"])
        await pupil.save_until_durable()
    await refused_as(done.start, "sitting-over")

    resumed = await eventually(lambda: started.call("POST", "/v1/resume", {"device": started.device}))
    assert list(resumed["answers"]) == [str(scene.items["R01"])]
    assert resumed["started_ms"] >= starts_ms
    rows = await db.fetch(
        "select id, started_at, restarted_at from attempt where sitting_id = $1 order by id", scene.sitting
    )
    was = {row["id"]: (row["started_at"], row["restarted_at"]) for row in rows}
    for pupil, first, second in ((started, True, True), (waiting, False, True), (done, True, False)):
        assert [moment is not None for moment in was[pupil.attempt]] == [first, second], pupil.seat


async def test_nobody_enters_the_stopped_form_after_its_last_entry(stack: Stack, service: str, owner_url: str) -> None:
    """Burnt: who had not opened it by the last entry of its one T0 never will."""
    scene = await make_sitting(stack, owner_url, pupils=1, starts_in_s=-60, last_entry_s=30, reserve=True)
    late = Pupil(service, scene.seats[0])
    await eventually(late.sign_in)
    await refused_as(late.start, "entry-closed")
