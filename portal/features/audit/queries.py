"""All SQL of the audit pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record."""

    id: int
    at: datetime
    name: str | None
    login: str | None
    acting_as: str
    address: str
    act: str
    object_kind: str
    object_id: str
    before: Any
    after: Any
    reason: str
    hash: bytes


async def records(
    db: Connection,
    *,
    act: str,
    kind: str,
    words: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    offset: int,
) -> tuple[list[AuditRow], int]:
    """A page of the trail, newest first."""
    where = """
        from audit a
        left join staff s on s.id = a.staff_id
        where ($1 = '' or a.act = $1) and ($2 = '' or a.object_kind = $2)
            and ($3 = '' or lower(concat_ws(' ', s.full_name, s.login, a.object_id, a.reason)) like '%' || lower($3) || '%')
            and ($4::timestamptz is null or a.at >= $4) and ($5::timestamptz is null or a.at < $5)
    """
    given = (act, kind, words, since, until)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"""
        select a.id, a.at, s.full_name as name, s.login, a.acting_as, a.address, a.act, a.object_kind, a.object_id,
               a.before, a.after, a.reason, a.hash
        {where}
        order by a.id desc
        limit $6 offset $7
        """,
        *given,
        *(limit, offset),
    )
    return [AuditRow(**row) for row in rows], total


async def broken_at(db: Connection) -> int | None:
    """The first record whose chain does not hold; also one cut off at the end is found, by the head."""
    await db.execute("set local statement_timeout = '10min'")
    broken = await db.fetchval("select audit_broken_at()")
    if broken is not None:
        return broken
    head = await db.fetchrow("select last_id, hash from audit_head where only_row")
    assert head is not None
    last = await db.fetchrow("select id, hash from audit order by id desc limit 1")
    if last is None:
        return None if head["last_id"] == 0 else head["last_id"]
    return None if (last["id"], last["hash"]) == (head["last_id"], head["hash"]) else head["last_id"]


async def head(db: Connection) -> tuple[int, bytes]:
    """Number and fingerprint of the newest record."""
    row = await db.fetchrow("select last_id, hash from audit_head where only_row")
    assert row is not None
    return row["last_id"], row["hash"]
