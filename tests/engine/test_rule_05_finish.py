"""Rule 5: a final receipt only when Postgres holds every seq and the hash agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.receipts import receipt_code
from infra.local import decode_key
from tests.support.pupil import Pupil, log_hash
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


async def test_a_gap_is_asked_for_and_only_then_there_is_a_receipt(begin: Begin, db: Db, stack: Stack) -> None:
    scene, pupil = await begin()
    for item in scene.items.values():
        pupil.answer(item, 1)
    kept_back = {2, 3, 5}
    await pupil.save(events=[event for event in pupil.log if event["seq"] not in kept_back])
    finish = pupil.finish_event()
    await pupil.save("/v1/finish", events=[finish])

    async def asked_for() -> None:
        reply = await pupil.call("POST", "/v1/save", pupil.batch([]))
        assert "final" not in reply
        assert reply["missing"] == [[2, 3], [5, 5]]

    await eventually(asked_for)
    await pupil.save(events=[event for event in pupil.log if event["seq"] in kept_back])

    async def final() -> None:
        assert "final" in await pupil.save(events=[])

    await eventually(final)
    sealed = await db.fetchrow("select * from seal where attempt_id = $1", pupil.attempt)
    assert sealed is not None
    assert sealed["digest"].hex() == log_hash(pupil.log[:-1])
    key = decode_key(stack.secrets.receipt_key)
    assert sealed["code"] == receipt_code(key, pupil.attempt, sealed["finish_seq"], sealed["digest"])
    assert pupil.last["final"]["code"] == sealed["code"]


async def test_a_hash_that_does_not_agree_gives_no_receipt(begin: Begin, db: Db) -> None:
    scene, pupil = await begin()
    pupil.answer(next(iter(scene.items.values())), 1)
    pupil.note("finish", value={"count": 1, "hash": "0" * 64})
    await pupil.save("/v1/finish")

    async def all_is_asked_for_again() -> None:
        reply = await pupil.call("POST", "/v1/save", pupil.batch([]))
        assert reply["missing"] == [[1, 1]]

    await eventually(all_is_asked_for_again)
    assert await db.fetchval("select count(*) from seal where attempt_id = $1", pupil.attempt) == 0


async def test_a_hand_in_taken_back_is_handed_in_again(begin: Begin) -> None:
    scene, pupil = await begin()
    items = list(scene.items.values())
    pupil.answer(items[0], 1)
    first = await pupil.finish()
    pupil.answer(items[1], 2)
    pupil.finish_event()
    await pupil.save("/v1/finish")

    async def another_code() -> None:
        reply = await pupil.save(events=[])
        assert reply["final"]["code"] != first["code"]
        assert reply["final"]["count"] == 2

    await eventually(another_code)


async def test_the_receipt_counts_questions_with_an_answer_on_all_phones(begin: Begin, service: str) -> None:
    """Answered on the first phone, changed and one emptied on the second: what stands is counted."""
    scene, first = await begin()
    items = list(scene.items.values())
    for item in items[:4]:
        first.answer(item, 1)
    await first.save_until_durable()
    second = Pupil(service, scene.seats[0])
    await second.sign_in()
    second.answer(items[0], 2)
    second.answer(items[1], None)
    second.answer(items[4], 1)
    assert (await second.finish())["count"] == 4
