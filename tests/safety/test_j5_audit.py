"""SAFETY J5: whoever changes the record, the database's owner too, is found: by the chain, or by yesterday's published head."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.audit_head import Head, compare, read_head
from infra.errors import PlainError
from infra.local import database_url, environment
from infra.migrate import migrate
from infra.parts.postgres import make_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack

    Db = asyncpg.Connection[asyncpg.Record]

NAME = "chain_of_acts"


@pytest.fixture
async def db(stack: Stack) -> AsyncIterator[Db]:
    """The owner of a database of its own, with ten acts on record."""
    await make_database(stack.home, stack.secrets, NAME)
    url = database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"], NAME)
    await migrate(url, stack.secrets.role_passwords)
    connection = await asyncpg.connect(url)
    for number in range(10):
        await act(connection, number)
    yield connection
    await connection.close()
    system = await asyncpg.connect(
        database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"], "postgres")
    )
    await system.execute(f"drop database {NAME} with (force)")
    await system.close()


async def act(db: Db, number: int) -> None:
    await db.execute(
        """
        insert into audit (acting_as, address, act, object_kind, object_id, before, after, reason, previous_hash, hash)
        values ('proctor', '10.0.0.1', 'attempt.extended', 'attempt', $1, '{"extra_s": 0}', '{"extra_s": 600}', 'line', '', '')
        """,
        str(number),
    )


async def ids(db: Db) -> list[int]:
    return [row["id"] for row in await db.fetch("select id from audit order by id")]


async def broken(db: Db) -> int | None:
    return await db.fetchval("select audit_broken_at()")


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'no'",
        """after = '{"extra_s": 60}'""",
        "acting_as = 'super-admin'",
        "at = at - interval '1 second'",
        "address = '10.0.0.2'",
        "object_id = '99'",
        "staff_id = null, before = null",
    ],
)
async def test_a_changed_row_shows_at_its_number(db: Db, change: str) -> None:
    assert await broken(db) is None
    third = (await ids(db))[2]
    await db.execute(f"update audit set {change} where id = $1", third)
    assert await broken(db) == third


async def test_a_removed_row_shows_at_the_one_behind_it(db: Db) -> None:
    before = await ids(db)
    await db.execute("delete from audit where id = $1", before[4])
    assert await broken(db) == before[5]


async def test_rows_cut_off_at_the_end_show_by_the_head(db: Db) -> None:
    yesterday = await read_head(db)
    last = (await ids(db))[-1]
    await db.execute("delete from audit where id = $1", last)
    assert await broken(db) is None, "the chain alone cannot know what came last"
    with pytest.raises(PlainError, match=f"record {last} is gone"):
        await compare(db, yesterday)


async def test_a_chain_forged_from_end_to_end_shows_against_yesterday_s_head(db: Db) -> None:
    """The owner changes a row and computes every hash behind it anew: only what was published elsewhere tells."""
    yesterday = await read_head(db)
    await act(db, 11)
    assert await compare(db, yesterday) == await read_head(db)
    third = (await ids(db))[2]
    await db.execute("update audit set reason = 'never happened' where id = $1", third)
    await db.execute(FORGE.format(first=third))
    assert await broken(db) is None
    with pytest.raises(PlainError, match="differs from the published one"):
        await compare(db, yesterday)


async def test_the_chain_cannot_be_forked_by_two_writers_at_once(db: Db, stack: Stack) -> None:
    import asyncio

    url = database_url(stack.home, "elumiti_portal", stack.secrets.role_passwords["elumiti_portal"], NAME)
    writers = [await asyncpg.connect(url) for _ in range(8)]

    async def write(writer: Db) -> None:
        for number in range(20):
            await act(writer, number)
        await writer.close()

    await asyncio.gather(*(write(writer) for writer in writers))
    assert await broken(db) is None
    assert await ids(db) == list(range(1, 171)), "numbers without gaps: one left out would show"


async def test_the_command_prints_the_head_and_compares(stack: Stack, owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    await act(connection, 1)
    await connection.close()
    environ = environment(stack.home, "audit")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "infra", "audit-head", *words]
        return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=60)

    printed = run().stdout.strip()
    head = Head.parse(printed)
    assert str(head) == printed
    assert run("--against", printed).returncode == 0
    forged = run("--against", f"{head.id}:{'0' * 64}")
    assert forged.returncode == 1
    assert "differs" in forged.stderr
    wrong = run("--against", "yesterday")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)


# What an owner without scruples would run: the chain from a row on, computed as the trigger does.
FORGE = """
    do $do$
    declare r audit; previous bytea;
    begin
        select a.previous_hash into previous from audit a where a.id = {first};
        for r in select * from audit where id >= {first} order by id loop
            update audit set previous_hash = previous, hash = sha256(previous || convert_to(jsonb_build_array(
                r.id, extract(epoch from r.at), r.staff_id, r.acting_as, r.address, r.act,
                r.object_kind, r.object_id, r.before, r.after, r.reason)::text, 'UTF8'))
            where id = r.id returning hash into previous;
        end loop;
        update audit_head set hash = previous;
    end $do$
"""
