"""One picture that should not be seen is erased alone: its bytes in the segment become zeros (SAFETY R4).

The attempt's key opens the child's other pictures too, so it stays. The row stays as well, sealed: a phone that sends the
picture again is told that it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from infra.database import Db
    from infra.objects import Bucket

log = structlog.get_logger()
AT_ONCE = 20


async def blot_some(db: Db, bucket: Bucket) -> int:
    """Do what the child-safety officer decided; how many were done. Never beside the erasing of segments."""
    rows = await db.fetch(
        f"""
        select id, sitting_id, attempt_id, seq, taken_ms
        from picture_seal
        where state = 'erase' and erased_at is null
        order by id
        limit {AT_ONCE}
        """
    )
    for row in rows:
        places = await db.fetch(
            """
            select g.object_name, p.byte_offset, p.byte_length
            from picture p
            join picture_segment g on g.id = p.segment_id and g.erased_at is null
            where p.sitting_id = $1 and p.attempt_id = $2 and p.seq = $3 and p.taken_ms = $4
            """,
            *tuple(row)[1:],
        )
        for place in places:
            await _zero(bucket, place["object_name"], place["byte_offset"], place["byte_length"])
        await db.execute(
            "update picture set checks = null where sitting_id = $1 and attempt_id = $2 and seq = $3 and taken_ms = $4",
            *tuple(row)[1:],
        )
        await db.execute("update picture_seal set erased_at = now() where id = $1", row["id"])
        log.info("proctoring.picture.blotted", seal=row["id"], sitting=row["sitting_id"])
    return len(rows)


async def _zero(bucket: Bucket, name: str, offset: int, length: int) -> None:
    body = await bucket.get(name)
    if body is not None:
        await bucket.put(name, body[:offset] + bytes(length) + body[offset + length :])
