"""`elumiti audit-head`: the audit trail's newest fingerprint, and whether an earlier published one still holds (SAFETY J5).

Published outside the database each hour (a status page, a mail to observers), it binds even the database's owner: a
chain computed anew holds in itself and differs from what others have already seen.
"""

from __future__ import annotations

import asyncio
import re

import asyncpg
import msgspec

from infra.errors import PlainError
from infra.local import adopt
from infra.settings import AuditSettings, read

WRITTEN = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class Head(msgspec.Struct, frozen=True):
    """Number and hash of a record, written `1234:fingerprint`."""

    id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.id}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """A head as it was printed."""
        found = WRITTEN.fullmatch(text.strip())
        if found is None:
            raise PlainError(f"«{text}» is no head of the trail.", "Give it as printed: NUMBER:64 hex digits.")
        return cls(int(found[1]), bytes.fromhex(found[2]))


def audit_head(*, against: str = "") -> None:
    """Print the head of the audit trail; with --against, check the whole chain and an earlier head first.

    Parameters
    ----------
    against
        A head as this command printed it before, for instance yesterday's from the status page.
    """
    adopt("audit")
    earlier = Head.parse(against) if against else None
    print(asyncio.run(_head(read(AuditSettings).database_url, earlier)))  # noqa: T201 (the command's own output)


async def _head(url: str, earlier: Head | None) -> Head:
    db = await asyncpg.connect(url)
    try:
        return await read_head(db) if earlier is None else await compare(db, earlier)
    finally:
        await db.close()


async def read_head(db: asyncpg.Connection[asyncpg.Record]) -> Head:
    """The newest record's number and hash; 0 and zeros before the first."""
    row = await db.fetchrow("select last_id, hash from audit_head where only_row")
    assert row is not None
    return Head(row["last_id"], row["hash"])


async def compare(db: asyncpg.Connection[asyncpg.Record], earlier: Head) -> Head:
    """The head now, after every hash was computed anew and the earlier head was found in the chain."""
    remedy = "The record was changed: keep the database as it is, compare with a backup, tell the observers."
    async with db.transaction(isolation="repeatable_read", readonly=True):
        now = await read_head(db)
        broken = await db.fetchval("select audit_broken_at()")
        if broken is not None:
            raise PlainError(f"The chain does not hold from record {broken} on.", remedy)
        last = await db.fetchval("select coalesce(max(id), 0) from audit")
        if last != now.id:
            raise PlainError(f"The trail ends at {last}: record {now.id} is gone.", remedy)
        if earlier.id:
            theirs = await db.fetchval(
                """
                select hash from audit where id = $1
                union all
                select hash from audit_archived where id = $1
                """,
                earlier.id,
            )
            if theirs is None:
                raise PlainError(f"Published record {earlier.id} is gone.", remedy)
            if theirs != earlier.hash:
                raise PlainError(f"The fingerprint of record {earlier.id} differs from the published one.", remedy)
    return now
