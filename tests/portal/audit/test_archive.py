"""Records beyond the term leave the table for files; what was changed on either side of the border shows."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING

import asyncpg
import polars as pl
import pytest

from infra.audit_head import Head, compare
from infra.local import database_url, environment
from infra.migrate import migrate
from infra.objects import open_bucket
from infra.parts import postgres
from infra.settings import PortalSettings, read
from portal.core.audit import archive as core
from portal.core.db import prepare
from portal.features.audit.queries import broken_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack

OLD, YOUNG = 7, 4
INSERT = """
    insert into audit (at, staff_id, acting_as, address, act, object_kind, object_id, before, after, reason,
                       previous_hash, hash)
    select now() - $1::interval + n * interval '1 second', null, 'job', '-', 'audit.chain.checked', 'audit', 'n' || n,
           case when n % 2 = 0 then '{"б": [1.50, null]}'::jsonb end, '{"a": "«ә»"}', 'reason ' || n, '', ''
    from generate_series(1, $2::int) n
"""


class Trail:
    """A database of its own: the oldest records are six years old, the newest of today."""

    def __init__(self, owner: asyncpg.Connection, portal: asyncpg.Connection, settings: PortalSettings) -> None:  # type: ignore[type-arg]
        self.owner, self.portal, self.store = owner, portal, settings.objects

    async def archive(self, most: int = 50_000) -> int:
        """As the worker does each day, with the portal's own role."""
        return await core.archive(self.portal, self.store, most)

    async def broken(self) -> list[int | None]:
        """In the table, and in the files."""
        async with self.portal.transaction():
            return [await broken_at(self.portal), await core.broken_in_files(self.portal, self.store)]


@pytest.fixture
async def trail(stack: Stack) -> AsyncIterator[Trail]:
    name = f"trail_{secrets.token_hex(4)}"
    await postgres.make_database(stack.home, stack.secrets, name)
    passwords = stack.secrets.role_passwords
    url = database_url(stack.home, "elumiti_owner", passwords["elumiti_owner"], name)
    await migrate(url, passwords)
    owner = await asyncpg.connect(url)
    portal = await asyncpg.connect(database_url(stack.home, "elumiti_portal", passwords["elumiti_portal"], name))
    await prepare(portal)
    await owner.execute(INSERT.replace("$1", "'6 years'").replace("$2", str(OLD)))
    await owner.execute(INSERT.replace("$1", "'1 day'").replace("$2", str(YOUNG)))
    yield Trail(owner, portal, read(PortalSettings, environment(stack.home, "portal")))
    await owner.close()
    await portal.close()
    server = await asyncpg.connect(database_url(stack.home, "elumiti_owner", passwords["elumiti_owner"], "postgres"))
    await server.execute(f"drop database {name}")
    await server.close()


async def test_old_records_move_and_the_chain_holds_across_the_border(trail: Trail) -> None:
    """Nothing younger moves, nothing is lost, a head published before is still found, and the move is on record."""
    heads = [Head(row["id"], row["hash"]) for row in await trail.owner.fetch("select id, hash from audit order by id")]
    assert await trail.archive() == OLD
    assert await trail.archive() == 0
    kept = await trail.owner.fetch("select id, act from audit order by id")
    assert [row["id"] for row in kept] == list(range(OLD + 1, OLD + YOUNG + 2))
    assert kept[-1]["act"] == "audit.trail.archived"
    assert await trail.broken() == [None, None]
    for head in heads:
        await compare(trail.portal, head)
    (file,) = await core.files(trail.portal)
    async with open_bucket(trail.store, core.BUCKET) as bucket:
        table = pl.read_parquet(io.BytesIO(await bucket.get(file.object_key) or b""))
    assert table["reason"].to_list() == [f"reason {number}" for number in range(1, OLD + 1)]
    assert (file.records, file.first_id, file.last_id) == (OLD, 1, OLD)


async def test_several_files_follow_one_another(trail: Trail) -> None:
    """A large trail goes piece by piece; the second file's first record hangs on the first file's last."""
    assert await trail.archive(most=3) == OLD
    assert [file.records for file in await core.files(trail.portal)] == [1, 3, 3]
    assert await trail.broken() == [None, None]


CHANGES = [
    (lambda table: table.with_columns(reason=pl.when(pl.col("id") == 3).then(pl.lit("x")).otherwise("reason")), 3),
    (lambda table: table.with_columns(at=pl.col("at") + pl.duration(days=1)), 1),
    (lambda table: table.with_columns(canonical=pl.col("canonical").str.replace("reason 5", "reason 6")), 5),
    (lambda table: table.filter(pl.col("id") != 4), 4),
    (lambda table: table.head(OLD - 1), OLD),
    (lambda table: table, None),
]


async def test_a_changed_file_shows_with_its_number(trail: Trail) -> None:
    """Also to somebody who made the database's hash of the file fit; written anew unchanged, it is whole."""
    await trail.archive()
    (file,) = await core.files(trail.portal)
    async with open_bucket(trail.store, core.BUCKET) as bucket:
        table = pl.read_parquet(io.BytesIO(await bucket.get(file.object_key) or b""))
        for change, number in CHANGES:
            out = io.BytesIO()
            change(table).write_parquet(out)
            await bucket.put(file.object_key, out.getvalue())
            await trail.owner.execute("update audit_file set sha256 = sha256($1)", out.getvalue())
            assert await trail.broken() == [None, number]


async def test_a_file_that_is_gone_or_another_shows(trail: Trail) -> None:
    await trail.archive()
    (file,) = await core.files(trail.portal)
    async with open_bucket(trail.store, core.BUCKET) as bucket:
        await bucket.put(file.object_key, b"PAR1")
        assert await trail.broken() == [None, 1]
        await bucket.delete(file.object_key)
        assert await trail.broken() == [None, 1]


async def test_the_first_record_that_stays_hangs_on_the_last_that_left(trail: Trail) -> None:
    """Who cuts at the border is seen there."""
    await trail.archive()
    await trail.owner.execute("delete from audit where id = $1", OLD + 1)
    assert (await trail.broken())[0] == OLD + 2


async def test_no_running_process_makes_the_trail_short(trail: Trail) -> None:
    """What is within the term cannot be moved, nor the term be made short; a broken chain is not tidied away."""
    move = "select audit_move($1, 'x', '')"
    for upto in (OLD + 1, OLD + YOUNG, 10_000):
        with pytest.raises(asyncpg.CheckViolationError):
            await trail.portal.fetchval(move, upto)
    for statement in ("update audit_term set keep = '1 year'", "delete from audit_archived", "delete from audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await trail.portal.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError):
        await trail.owner.execute("update audit_term set keep = '11 months'")
    await trail.owner.execute("update audit set reason = 'x' where id = 2")
    with pytest.raises(asyncpg.CheckViolationError):
        await trail.archive()
    assert await trail.owner.fetchval("select count(*) from audit") == OLD + YOUNG


async def test_a_shorter_term_is_the_owners_word(trail: Trail) -> None:
    """Data, not code: with a year, records of two years ago go as well."""
    await trail.owner.execute("update audit_term set keep = '7 years'")
    assert await trail.archive() == 0
    await trail.owner.execute("update audit_term set keep = '1 year'")
    assert await trail.archive() == OLD
