"""What stands beside a failed test's trace: the last words of each part, and what Postgres was waiting for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

LINES = 25
WAITING = """
    select pid, usename, state, wait_event_type, wait_event, pg_blocking_pids(pid) as blocked_by,
           now() - xact_start as since, left(regexp_replace(query, '\\s+', ' ', 'g'), 200) as query
    from pg_stat_activity
    where state <> 'idle' and pid <> pg_backend_pid()
    order by xact_start
"""


def last_words(stack: Stack) -> list[tuple[str, str]]:
    """A heading and the newest lines for each part that has said anything."""
    words: list[tuple[str, str]] = []
    for log in sorted(stack.home.log("*").parent.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-LINES:]
        if lines:
            words.append((f"{log.stem}, its last lines", "\n".join(line[:400] for line in lines)))
    return words


async def waiting(stack: Stack) -> str:
    """Each session of Postgres that is at work, a line."""
    db = await asyncpg.connect(stack.owner_url, timeout=5)
    try:
        rows = await db.fetch(WAITING, timeout=5)
    finally:
        await db.close()
    return "\n".join(str(dict(row)) for row in rows)
