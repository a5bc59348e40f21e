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


class Person(msgspec.Struct, frozen=True):
    """Whose history: what he did (`by`), or what was done to his login (`on`)."""

    staff_id: int
    side: str


SIDES = {"by": "and a.staff_id = $6", "on": "and a.object_kind = 'staff' and a.object_id = $6"}


async def name_of(db: Connection, staff_id: int) -> str | None:
    """A person's name; None: there is no such login."""
    return await db.fetchval("select full_name from staff where id = $1", staff_id)


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
    of: Person | None = None,
) -> tuple[list[AuditRow], int]:
    """A page of the trail, newest first; of one person, what he did or what was done to his login."""
    where = f"""
        from audit a
        left join staff s on s.id = a.staff_id
        where ($1 = '' or a.act = $1) and ($2 = '' or a.object_kind = $2)
            and ($3 = '' or strpos(lower(concat_ws(' ', s.full_name, s.login, a.object_id, a.reason)), lower($3)) > 0)
            and ($4::timestamptz is null or a.at >= $4) and ($5::timestamptz is null or a.at < $5)
            {SIDES[of.side] if of else ""}
    """
    given: tuple[object, ...] = (act, kind, words, since, until)
    if of is not None:
        given += (of.staff_id if of.side == "by" else str(of.staff_id),)
    last = len(given)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"""
        select a.id, a.at, s.full_name as name, s.login, a.acting_as, a.address, a.act, a.object_kind, a.object_id,
               a.before, a.after, a.reason, a.hash
        {where}
        order by a.id desc
        limit ${last + 1} offset ${last + 2}
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
    last = await db.fetchrow(
        """
        select id, hash
        from (select id, hash from audit union all select id, hash from audit_archived) records
        order by id desc
        limit 1
        """
    )
    if last is None:
        return None if head["last_id"] == 0 else head["last_id"]
    return None if (last["id"], last["hash"]) == (head["last_id"], head["hash"]) else head["last_id"]


async def head(db: Connection) -> tuple[int, bytes]:
    """Number and fingerprint of the newest record."""
    row = await db.fetchrow("select last_id, hash from audit_head where only_row")
    assert row is not None
    return row["last_id"], row["hash"]
