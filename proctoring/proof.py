"""That just those bytes are gone: keys and rows counted, the store asked for its names, other children's pictures read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from infra.database import Db
    from proctoring.look.serve import Pictures

SAMPLE = 20


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `held`: attempts of a whole sitting that an open case keeps.

    `sampled`, `readable`: pictures of others (of the sitting; of a whole sitting: of others) that were read back whole.
    `objects`: in the store; `erased_there`: segments that were erased and still lie in it; `unknown`: names that no row knows.
    """

    sitting: int
    attempt: int | None
    marked: bool
    keys: int
    pictures: int
    events: int
    scores: int
    held: int
    sampled: int
    readable: int
    objects: int
    erased_there: int
    unknown: int

    @property
    def holds(self) -> bool:
        """Whether it is gone, and only it."""
        gone = self.keys == self.pictures == self.events == self.scores == self.erased_there == 0
        return self.marked and gone and self.readable == self.sampled


async def prove(db: Db, pictures: Pictures, sitting: int, attempt: int | None) -> Proof:
    """Look anew; nothing is believed that an earlier run wrote down."""
    marked = await db.fetchval(
        "select exists (select from picture_erasure where sitting_id = $1 and attempt_id is not distinct from $2)",
        *(sitting, attempt),
    )
    held = await db.fetch(
        "select distinct attempt_id from picture_hold where sitting_id = $1 and released_at is null and $2::bigint is null",
        *(sitting, attempt),
    )
    kept = [row["attempt_id"] for row in held]
    counts: list[int] = [
        await db.fetchval(
            f"""
            select count(*) from {table}
            where sitting_id = $1 and ($2::bigint is null or attempt_id = $2) and attempt_id <> all($3::bigint[])
            """,
            *(sitting, attempt, kept),
        )
        for table in ("picture_key", "picture", "watch_event", "watch_score")
    ]
    others = await db.fetch(
        f"""
        select p.sitting_id, p.attempt_id, p.seq, p.taken_ms
        from picture p
        join picture_segment g on g.id = p.segment_id and g.erased_at is null
        join picture_key k on k.id = p.key_id
        where p.sealed_at is null
            and case when $2::bigint is null then p.sitting_id <> $1 else p.sitting_id = $1 and p.attempt_id <> $2 end
            and not exists (
                select from picture_erasure e
                where e.sitting_id = p.sitting_id and coalesce(e.attempt_id, p.attempt_id) = p.attempt_id)
        order by md5(p.attempt_id || '-' || p.seq || '-' || clock_timestamp())
        limit {SAMPLE}
        """,
        *(sitting, attempt),
    )
    readable = 0
    for row in others:
        readable += await pictures.plain(*row) is not None
    names = set(await pictures.store.bucket.keys())
    segments = await db.fetch("select object_name, erased_at is not null as erased from picture_segment")
    known = {row["object_name"] for row in segments}
    return Proof(
        sitting=sitting,
        attempt=attempt,
        marked=marked,
        keys=counts[0],
        pictures=counts[1],
        events=counts[2],
        scores=counts[3],
        held=len(kept),
        sampled=len(others),
        readable=readable,
        objects=sum(not name.startswith("erased/") for name in names),
        erased_there=sum(row["erased"] and row["object_name"] in names for row in segments),
        unknown=sum(not name.startswith("erased/") and name not in known for name in names),
    )


async def keep(db: Db, proof: Proof, proof_id: int | None) -> None:
    """Beside the erasure, for the page of the sitting; `proof_id`: the row that asked for it."""
    if proof_id is None:
        proof_id = await db.fetchval(
            "insert into picture_proof (sitting_id, attempt_id) values ($1, $2) returning id",
            *(proof.sitting, proof.attempt),
        )
    await db.execute(
        "update picture_proof set checked_at = now(), holds = $2, report = $3::jsonb where id = $1",
        *(proof_id, proof.holds, msgspec.json.encode(proof).decode()),
    )


async def prove_some(db: Db, pictures: Pictures) -> int:
    """Answer what was asked for; of an erasure that is not carried out yet a little later."""
    rows = await db.fetch(
        """
        select q.id, q.sitting_id, q.attempt_id
        from picture_proof q
        where q.checked_at is null and not exists (
            select from picture_erasure e
            where e.sitting_id = q.sitting_id and e.attempt_id is not distinct from q.attempt_id and e.erased_at is null
                and q.asked_at > now() - interval '1 minute')
        order by q.id
        limit 5
        """
    )
    for row in rows:
        await keep(db, await prove(db, pictures, row["sitting_id"], row["attempt_id"]), row["id"])
    return len(rows)
