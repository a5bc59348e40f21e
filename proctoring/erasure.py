"""Erasing: one child's pictures, a sitting's, and those whose term is over (SAFETY R3).

What makes pictures unreadable is that their keys are gone; the bytes go with their segment. A mark stays in Postgres and
another in the store, so that keys that come back with a backup are dropped again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from proctoring.index import LOCK

if TYPE_CHECKING:
    from infra.database import Db
    from infra.objects import Bucket

log = structlog.get_logger()

# A consent that was withdrawn by a slip of the hand can be given again within this time; nothing is taken meanwhile.
WITHDRAWN_FOR = "1 hour"
MARKS = "erased/"


class Erasure(msgspec.Struct, frozen=True):
    """A mark: one attempt, or (attempt None) the whole sitting but for what is held."""

    id: int
    sitting_id: int
    attempt_id: int | None
    reason: str


async def ask(db: Db, sitting: int, attempt: int | None, reason: str, by: str) -> bool:
    """Put the mark; from now on nothing is taken, put down or shown. False: it was there."""
    return bool(
        await db.fetchval(
            """
            insert into picture_erasure (sitting_id, attempt_id, reason, asked_by)
            values ($1, $2, $3, $4)
            on conflict do nothing
            returning true
            """,
            *(sitting, attempt, reason, by),
        )
    )


async def mark_what_is_due(db: Db) -> None:
    """Consents withdrawn for an hour, sittings whose days are over; an open case holds its own attempt."""
    await db.execute(
        f"""
        insert into picture_erasure (sitting_id, attempt_id, reason)
        select distinct r.sitting, r.attempt, 'withdrawn'
        from pictures_refused() r
        where r.since < now() - interval '{WITHDRAWN_FOR}' and not r.held
        on conflict do nothing
        """
    )
    await db.execute(
        """
        insert into picture_erasure (sitting_id, reason)
        select w.sitting_id, 'term'
        from sitting_watch w
        join sitting s on s.id = w.sitting_id
        where coalesce(s.ends_at, s.last_entry_at + make_interval(secs => s.duration_s))
            + make_interval(days => w.keep_days) < now()
        on conflict do nothing
        """
    )


async def carry_out(db: Db, bucket: Bucket) -> int:
    """Do what is marked and not done; how many were finished. May be stopped anywhere and done again."""
    rows = await db.fetch(
        "select id, sitting_id, attempt_id, reason from picture_erasure where erased_at is null order by id limit 500"
    )
    finished = 0
    for row in rows:
        erasure = Erasure(**row)
        held = await _drop_keys(db, erasure)
        if held:
            continue
        await bucket.put(_mark_of(erasure), erasure.reason.encode())
        if erasure.attempt_id is None:
            await _drop_segments(db, bucket, erasure.sitting_id)
        async with db.transaction():
            await db.execute("update picture_erasure set erased_at = now() where id = $1", erasure.id)
            # What is done is proven at once (proctoring/proof.py).
            await db.execute(
                "insert into picture_proof (sitting_id, attempt_id) values ($1, $2)",
                *(erasure.sitting_id, erasure.attempt_id),
            )
        log.info("proctoring.erased", sitting=erasure.sitting_id, attempt=erasure.attempt_id, reason=erasure.reason)
        finished += 1
    return finished


async def _drop_keys(db: Db, erasure: Erasure) -> bool:
    """Keys, rows, events and scores in one transaction; whether something of it is held."""
    sitting, attempt = erasure.sitting_id, erasure.attempt_id
    async with db.transaction():
        # Alone: who is just putting rows down has finished, and who comes next sees the mark.
        await db.execute("select pg_advisory_xact_lock(hashtext($1))", LOCK)
        held = [
            row["attempt_id"]
            for row in await db.fetch(
                """
                select distinct attempt_id from picture_hold
                where sitting_id = $1 and ($2::bigint is null or attempt_id = $2) and released_at is null
                """,
                *(sitting, attempt),
            )
        ]
        for table in (
            *("picture_key", "picture", "watch_event", "watch_score"),
            *("watch_flood", "picture_to_check", "watch_to_score"),
        ):
            await db.execute(
                f"""
                delete from {table}
                where sitting_id = $1 and ($2::bigint is null or attempt_id = $2) and attempt_id <> all($3::bigint[])
                """,
                *(sitting, attempt, held),
            )
        if attempt is None and not held:
            await db.execute("delete from picture_sitting_key where sitting_id = $1", sitting)
    return bool(held)


async def _drop_segments(db: Db, bucket: Bucket, sitting: int) -> None:
    """Segments that hold nobody else's pictures leave the store."""
    rows = await db.fetch(
        """
        select g.id, g.object_name
        from picture_segment_sitting m
        join picture_segment g on g.id = m.segment_id
        where m.sitting_id = $1 and not exists (
            select from picture_segment_sitting o where o.segment_id = m.segment_id and o.sitting_id <> $1)
        order by g.id
        """,
        sitting,
    )
    for row in rows:
        await bucket.delete(row["object_name"])
        await db.execute("update picture_segment set erased_at = now() where id = $1", row["id"])
    await db.execute("delete from picture_segment_sitting where sitting_id = $1", sitting)


def _mark_of(erasure: Erasure) -> str:
    return f"{MARKS}{erasure.sitting_id}/{erasure.attempt_id or 'all'}"


async def mark_again(db: Db, bucket: Bucket) -> int:
    """After a backup came back: marks that the store remembers and Postgres does not; how many there were."""
    found = 0
    for name in await bucket.keys(MARKS):
        sitting, _, attempt = name.removeprefix(MARKS).partition("/")
        reason = (await bucket.get(name) or b"asked").decode()
        number = None if attempt == "all" else int(attempt)
        if await db.fetchval("select true from sitting where id = $1", int(sitting)):
            found += await ask(db, int(sitting), number, reason, "store")
    # Marks that came back as done, with keys that came back too.
    await db.execute(
        """
        update picture_erasure e set erased_at = null
        where e.erased_at is not null and exists (
            select from picture_key k
            where k.sitting_id = e.sitting_id and (e.attempt_id is null or k.attempt_id = e.attempt_id))
        """
    )
    return found
