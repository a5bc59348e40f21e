"""Migrations: plain SQL files, numbered, forward only, applied under a lock, and checked at every start.

A file's SHA-256 is recorded when it is applied; a file edited afterwards is an error, for two databases with the same
number would differ. Each file is one transaction.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from infra.errors import PlainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.database import Db

FOLDER = Path(__file__).parent / "migrations"
# Any constant: all who migrate take the same advisory lock.
LOCK = 0x656C756D


class Migration(msgspec.Struct, frozen=True):
    """A file of `infra/migrations`."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """SHA-256 of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All migrations, ascending."""
    return [Migration(int(file.name[:4]), file.stem, file.read_text()) for file in sorted(folder.glob("[0-9]*.sql"))]


async def migrate(url: str, role_passwords: Mapping[str, str]) -> list[str]:
    """Bring the database to the newest schema; returns the names applied now."""
    connection = await asyncpg.connect(url)
    applied: list[str] = []
    try:
        # Others wait here rather than fail: two machines may start at once.
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await _make_roles(connection, role_passwords)
        await connection.execute(
            """
            create table if not exists migration (
                number int primary key,
                name text not null,
                digest text not null,
                applied_at timestamptz not null default now()
            )
            """
        )
        await connection.execute(
            "grant select on migration to elumiti_engine, elumiti_flusher, elumiti_portal, elumiti_scoring"
        )
        done = await _applied(connection)
        for migration in migrations():
            if migration.number in done:
                _require_same(migration, done[migration.number])
                continue
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "insert into migration (number, name, digest) values ($1, $2, $3)",
                    *(migration.number, migration.name, migration.digest),
                )
            applied.append(migration.name)
    finally:
        await connection.close()
    return applied


async def require_current(connection: Db) -> None:
    """Checked by every process at its start: the schema is the one this code was written for."""
    try:
        done = await _applied(connection)
    except asyncpg.UndefinedTableError:
        done = {}
    missing = [migration.name for migration in migrations() if migration.number not in done]
    if missing:
        what = f"The database lacks {len(missing)} migration(s), first {missing[0]}."
        raise PlainError(what, "Run `elumiti migrate`.")
    for migration in migrations():
        _require_same(migration, done[migration.number])


async def _applied(connection: Db) -> dict[int, str]:
    rows: Iterable[asyncpg.Record] = await connection.fetch("select number, digest from migration order by number")
    return {row["number"]: row["digest"] for row in rows}


def _require_same(migration: Migration, digest: str) -> None:
    if migration.digest != digest:
        what = f"Migration {migration.name} was edited after it was applied."
        raise PlainError(what, "Restore the file and write a new migration; a demo can be made anew with `make clean`.")


async def _make_roles(connection: asyncpg.Connection[asyncpg.Record], passwords: Mapping[str, str]) -> None:
    """Login roles belong to the cluster, so they are made before the files; passwords follow the settings."""
    for role, password in passwords.items():
        if role == "elumiti_owner":
            continue
        exists = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
        quoted = await connection.fetchval("select quote_literal($1::text)", password)
        verb = "alter" if exists else "create"
        await connection.execute(f"{verb} role {role} login nosuperuser nocreatedb nocreaterole password {quoted}")
