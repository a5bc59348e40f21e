"""A picture that should not be seen (SAFETY R4): shown for the officer's look alone, zeroed when he says so; what is gone is proven."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag

from infra.local import environment
from tests.proctoring.test_erasing import gone, put_down, send_all
from tests.proctoring.test_line import read_back
from tests.support.waiting import eventually
from tests.support.watched import picture

if TYPE_CHECKING:
    import asyncpg
    import httpx

    from infra.parts.supervisor import Stack
    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


def address_of(row: asyncpg.Record, **more: object) -> str:
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/v1/look/{row['sitting_id']}/{row['attempt_id']}/{row['seq']}?at={row['taken_ms']}&by=aigerim{asked}"


async def officer(db: Db) -> int:
    return await db.fetchval("select min(id) from staff") or await db.fetchval(
        "insert into staff (login, full_name, password_hash) values ('officer', 'Officer', 'x') returning id"
    )


async def seal(db: Db, row: asyncpg.Record, state: str = "open") -> int:
    """As the portal does it."""
    named = (row["sitting_id"], row["attempt_id"], row["seq"], row["taken_ms"])
    await db.execute(
        "update picture set sealed_at = now() where sitting_id = $1 and attempt_id = $2 and seq = $3 and taken_ms = $4",
        *named,
    )
    return await db.fetchval(
        """
        insert into picture_seal (sitting_id, attempt_id, seq, taken_ms, sealed_by, state)
        values ($1, $2, $3, $4, $5, $6) returning id
        """,
        *(*named, await officer(db), state),
    )


async def look(db: Db, seal_id: int, minutes_ago: int = 0) -> int:
    return await db.fetchval(
        """
        insert into picture_seal_look (seal_id, staff_id, reason, at)
        values ($1, $2, 'Тексеру', now() - make_interval(mins => $3)) returning id
        """,
        *(seal_id, await officer(db), minutes_ago),
    )


async def two_pictures(stack: Stack, db: Db, begin: Begin) -> tuple[asyncpg.Record, asyncpg.Record]:
    """Of two children of one sitting, stored."""
    scene, _ = await begin()
    await send_all(stack, scene.sitting, [seat.attempt for seat in scene.seats])
    first, second = await put_down(db, scene.sitting, 2)
    return first, second


async def test_a_sealed_picture_is_shown_for_a_fresh_look_of_its_own_alone(
    stack: Stack, db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    first, second = await two_pictures(stack, db, begin)
    assert (await portal.get(address_of(first))).status_code == 200
    seal_id, other = await seal(db, first), await seal(db, second)
    assert (await portal.get(address_of(first))).status_code == 404, "gone for everybody at once"
    fresh, stale, elses = await look(db, seal_id), await look(db, seal_id, 6), await look(db, other)
    assert (await portal.get(address_of(first, look=fresh))).status_code == 200
    for number in (stale, elses, 0, 2**62):
        assert (await portal.get(address_of(first, look=number))).status_code == 404, number
    await db.execute("update picture_seal set state = 'erase' where id = $1", seal_id)
    assert (await portal.get(address_of(first, look=fresh))).status_code == 404, "decided: nobody looks any more"


async def test_one_picture_is_zeroed_and_the_others_of_its_segment_are_read(
    stack: Stack, db: Db, begin: Begin, proctoring: str, kek: bytes
) -> None:
    assert proctoring
    scene, phone = await begin()
    attempts = [seat.attempt for seat in scene.seats]
    await send_all(stack, scene.sitting, attempts)
    rows = await put_down(db, scene.sitting, 2)
    seal_id = await seal(db, rows[0], "erase")

    async def done() -> None:
        assert await db.fetchval("select erased_at is not null from picture_seal where id = $1", seal_id)

    await eventually(done, limit_s=20)
    with pytest.raises(InvalidTag):
        await read_back(stack, db, rows[0], kek)
    assert await read_back(stack, db, rows[1], kek) == picture(rows[1]["attempt_id"] % 400, side=48)
    # The phone that did not hear of it sends it again: it is there already, and does not come back.
    again = await phone.send(picture(7, side=48), n=1, at=rows[0]["taken_ms"])
    assert again.status_code == 200
    with pytest.raises(InvalidTag):
        await read_back(stack, db, rows[0], kek)


def command(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ELUMITI_")}
    return subprocess.run(
        [sys.executable, "-m", "infra", "proctoring", *words],
        env=environ | environment(stack.home, "proctoring"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_an_erasure_is_proven_and_one_that_did_not_happen_is_not(
    stack: Stack, db: Db, begin: Begin, proctoring: str
) -> None:
    """By the command, and by a row that the portal writes; keys that came back are seen."""
    assert proctoring
    first, second = await two_pictures(stack, db, begin)
    sitting, attempt = first["sitting_id"], first["attempt_id"]
    before = command(stack, "prove", str(sitting), "--attempt", str(attempt))
    assert (before.returncode, before.stdout.splitlines()[-1]) == (1, "NOT proven"), before.stderr

    said = command(stack, "erase", str(sitting), "--attempt", str(attempt), "--by", "Гүлнар Сәрсенқызы")
    assert said.returncode == 0, said.stderr
    row = await db.fetchrow(
        "select reason, acting_as from audit where act = 'watch.pictures.erased' and object_id = $1", str(attempt)
    )
    assert row is not None
    assert tuple(row) == ("Гүлнар Сәрсенқызы", "elumiti")
    await gone(db, sitting, attempt)
    proven = command(stack, "prove", str(sitting), "--attempt", str(attempt))
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "sampled       1\nreadable      1\n" in proven.stdout, "the other child's is read back"

    await db.execute("insert into picture_proof (sitting_id, attempt_id) values ($1, $2)", sitting, attempt)

    async def answered() -> None:
        found = await db.fetchrow(
            "select checked_at, holds from picture_proof where sitting_id = $1 order by id desc limit 1", sitting
        )
        assert found is not None
        assert found["checked_at"] is not None
        assert found["holds"] is True

    await eventually(answered, limit_s=20)
    await db.execute(
        "insert into picture_key (id, attempt_id, sitting_id, wrapped) values ('\\x0102030405060708', $1, $2, '\\x00')",
        *(attempt, sitting),
    )
    back = command(stack, "prove", str(sitting), "--attempt", str(attempt))
    assert (back.returncode, back.stdout.splitlines()[-1]) == (1, "NOT proven")
    await db.execute("delete from picture_key where id = '\\x0102030405060708'")
    assert second["attempt_id"] != attempt
