"""Scores are kept up as events come: whose events are new stands in a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proctoring.risk.rules import Rule, rules_of
from proctoring.risk.score import Seen, score, seconds_of

if TYPE_CHECKING:
    from infra.database import Db

AT_ONCE = 500
# Of one attempt, each kind and who saw it: more tells nothing new, nobody may make this slow, and no flood of one kind
# crowds out another, least of all what the server saw.
MOST_EVENTS = 500


async def score_some(db: Db) -> int:
    """Work out again the scores of attempts with new events; how many there were."""
    async with db.transaction():
        rows = await db.fetch(
            f"""
            delete from watch_to_score
            where ctid = any(array(select ctid from watch_to_score order by put_at limit {AT_ONCE} for update skip locked))
            returning sitting_id, attempt_id
            """
        )
        rules: dict[int, dict[str, Rule]] = {}
        # In the order of attempts, as everybody who touches several.
        touched = sorted({(row["attempt_id"], row["sitting_id"]) for row in rows})
        for attempt, sitting in touched:
            if sitting not in rules:
                said = await db.fetchval("select rules::text from sitting_watch where sitting_id = $1", sitting)
                rules[sitting] = rules_of(said)
            await _keep(db, attempt, sitting, rules[sitting])
    return len(touched)


async def _keep(db: Db, attempt: int, sitting: int, rules: dict[str, Rule]) -> None:
    rows = await db.fetch(
        f"""
        select kind, at_ms, data
        from (
            select kind, at_ms, data::text as data,
                   row_number() over (partition by kind, data ->> 'by' = 'server' order by at_ms, seq) as nth
            from watch_event
            where sitting_id = $1 and attempt_id = $2) as told
        where nth <= {MOST_EVENTS}
        """,
        *(sitting, attempt),
    )
    seen: list[Seen] = []
    for row in rows:
        data: dict[str, object] = msgspec.json.decode(row["data"], type=dict[str, object])
        seen.append(Seen(row["kind"], seconds_of(data), data.get("by") == "server"))
    total, reasons = score(seen, rules)
    await db.execute(
        """
        insert into watch_score (attempt_id, sitting_id, score, reasons, last_event_ms)
        values ($1, $2, $3, $4::jsonb, $5)
        on conflict (attempt_id) do update
        set score = excluded.score, reasons = excluded.reasons, last_event_ms = excluded.last_event_ms, changed_at = now()
        """,
        *(
            attempt,
            sitting,
            total,
            msgspec.json.encode(reasons).decode(),
            max((row["at_ms"] for row in rows), default=None),
        ),
    )
