"""A pupil's whole way through the engine: sign in, key, save, durable, finish, receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


async def test_answers_reach_postgres_and_the_child_gets_a_receipt(stack: Stack, service: str, owner_url: str) -> None:
    scene = await make_sitting(stack, owner_url)
    pupil = Pupil(service, scene.seats[0])
    await known(pupil)
    await pupil.start()
    for code, item in scene.items.items():
        pupil.note("view", item)
        pupil.answer(item, scene.options[code]["B"])
    await pupil.save_until_durable()
    final = await pupil.finish()
    assert final["count"] == len(scene.items)
    db = await asyncpg.connect(owner_url)
    rows = await db.fetch(
        "select item, value from response_event where attempt_id = $1 and kind = 1 order by seq", pupil.attempt
    )
    sealed = await db.fetchrow("select code from seal where attempt_id = $1", pupil.attempt)
    await db.close()
    assert {row["item"]: int(row["value"]) for row in rows} == {
        item: scene.options[code]["B"] for code, item in scene.items.items()
    }
    assert sealed is not None
    assert sealed["code"] == final["code"]


async def known(pupil: Pupil) -> None:
    """Sign in as soon as the workers have read the new sitting."""
    from tests.support.waiting import eventually

    await eventually(pupil.sign_in)
