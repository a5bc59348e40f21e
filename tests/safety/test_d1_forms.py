"""SAFETY D1: a region is stopped and goes on, later, on the reserve form; the burnt form's key is served to nobody."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from engine.tokens import Claims, Tokens
from infra.local import decode_key
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

    Db = asyncpg.Connection[asyncpg.Record]

REGION = "KZ-10"
DAY_MS = 24 * 3600 * 1000


def read_tokens(stack: Stack) -> Tokens:
    """The engines' own: what a phone holds can be read, and a token of yesterday made."""
    return Tokens({int(number): decode_key(key) for number, key in stack.secrets.token_keys.items()})


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


async def test_a_region_that_is_stopped_today_goes_on_tomorrow(
    stack: Stack, service: str, owner_url: str, db: Db
) -> None:
    """Told today: the token lives till then, nobody enters before, and today's clock is over."""
    scene = await make_sitting(stack, owner_url, pupils=2, reserve=True)
    pupil, newcomer = (Pupil(service, seat) for seat in scene.seats)
    signed_in = await eventually(pupil.sign_in)
    await eventually(pupil.start)
    await order(db, scene, 1, "stop", at_ms=round(time.time() * 1000))
    starts_ms = round(time.time() * 1000) + DAY_MS
    body = {"starts_ms": starts_ms, "last_entry_ms": starts_ms + 900_000, "manifest": signed_in["reserve"]}
    await order(db, scene, 2, "restart", **body)
    assert await heard(pupil, "restart") == body
    tokens = read_tokens(stack)
    claims = tokens.verify(f"Bearer {pupil.token}")
    assert claims is not None
    assert claims.expires_s > starts_ms // 1000 + 900 + 3600
    refused = await refused_as(pupil.start, "too-early")
    assert refused.problem["starts_ms"] == starts_ms
    refused = await eventually(lambda: refused_as(newcomer.sign_in, "waiting-not-open"))
    assert refused.problem["opens_ms"] == starts_ms - 3_600_000


async def test_who_stayed_signed_in_since_yesterday_gets_the_reserve_s_key(
    stack: Stack, service: str, owner_url: str, db: Db
) -> None:
    """Its restart heard only now: yesterday's token has expired, a save still renews it, but not a superseded device's."""
    scene = await make_sitting(stack, owner_url, starts_in_s=-DAY_MS / 1000, last_entry_s=900, reserve=True)
    pupil = Pupil(service, scene.seats[0])
    signed_in = await eventually(pupil.sign_in)
    began_ms = round(time.time() * 1000) - DAY_MS + 60_000
    yesterday = Claims(
        pupil.attempt, scene.sitting, 0, began_ms // 1000 + 3600, began_ms, 0, bytes.fromhex(pupil.device)
    )
    pupil.token = read_tokens(stack).sign(yesterday)
    await refused_as(pupil.start, "token-rejected")
    await order(db, scene, 1, "stop", at_ms=began_ms + 600_000)
    starts_ms = round(time.time() * 1000) - 1_000
    body = {"starts_ms": starts_ms, "last_entry_ms": starts_ms + 900_000, "manifest": signed_in["reserve"]}
    await order(db, scene, 2, "restart", **body)
    assert await heard(pupil, "restart") == body
    reply = await eventually(pupil.start)
    assert reply["started_ms"] >= starts_ms
    assert reply["deadline_ms"] == reply["started_ms"] + 3_600_000
    other = Pupil(service, scene.seats[0])
    await eventually(other.sign_in)

    async def superseded() -> None:
        pupil.token, pupil.controls = read_tokens(stack).sign(yesterday), 0
        reply = await pupil.save(events=[])
        assert reply["superseded"]
        told = read_tokens(stack).verify(f"Bearer {reply.get('token', pupil.token)}")
        assert told is not None
        assert told.expires_s == yesterday.expires_s

    await eventually(superseded)
