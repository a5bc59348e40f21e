"""The table of jobs: the truth about long work. The queue only carries ids."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

COLUMNS = "id, kind, sitting_id, made_by, made_at, state, done, total, payload, result, changed_at"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `payload` and `result` are the job's own; None: nothing yet."""

    id: int
    kind: str
    sitting_id: int | None
    made_by: int | None
    made_at: datetime
    state: str
    done: int
    total: int
    payload: dict[str, Any]
    result: dict[str, Any] | None
    changed_at: datetime

    @property
    def open(self) -> bool:
        """Whether it still goes on."""
        return self.state in {"queued", "running"}


async def ask(
    db: Connection, kind: str, *, sitting_id: int | None, made_by: int | None, payload: dict[str, Any]
) -> int:
    """A new job, queued; send it to the worker after the commit (`Queues.send`)."""
    return await db.fetchval(
        "insert into job (kind, sitting_id, made_by, payload) values ($1, $2, $3, $4) returning id",
        *(kind, sitting_id, made_by, payload),
    )


async def find(db: Connection, job_id: int) -> Job | None:
    """One job."""
    row = await db.fetchrow(f"select {COLUMNS} from job where id = $1", job_id)
    return Job(**row) if row else None


async def recent(
    db: Connection, *, sitting_id: int | None = None, made_by: int | None = None, kind: str | None = None
) -> list[Job]:
    """The newest jobs of a sitting or a person."""
    rows = await db.fetch(
        f"""
        select {COLUMNS}
        from job
        where ($1::int is null or sitting_id = $1) and ($2::int is null or made_by = $2)
            and ($3::text is null or kind = $3)
        order by id desc
        limit 20
        """,
        *(sitting_id, made_by, kind),
    )
    return [Job(**row) for row in rows]


async def begin(db: Connection, job_id: int) -> Job | None:
    """Take a queued job; None if another has it or it is over."""
    row = await db.fetchrow(
        f"""
        update job set state = 'running', changed_at = now()
        where id = $1 and (state = 'queued' or (state = 'running' and changed_at < now() - interval '5 minutes'))
        returning {COLUMNS}
        """,
        job_id,
    )
    return Job(**row) if row else None


async def progress(db: Connection, job_id: int, done: int, total: int) -> None:
    """How far it is; also the sign that it lives."""
    await db.execute("update job set done = $2, total = $3, changed_at = now() where id = $1", job_id, done, total)


async def finish(db: Connection, job_id: int, state: str, result: dict[str, Any]) -> None:
    """Done or failed."""
    await db.execute("update job set state = $2, result = $3, changed_at = now() where id = $1", job_id, state, result)


async def forgotten(db: Connection, kinds: list[str]) -> list[tuple[int, str]]:
    """Queued jobs that the queue may have lost (Valkey away at the moment of sending), and dead workers' ones."""
    rows = await db.fetch(
        """
        select id, kind
        from job
        where kind = any($1) and ((state = 'queued' and changed_at < now() - interval '20 seconds')
            or (state = 'running' and changed_at < now() - interval '5 minutes'))
        order by id
        """,
        kinds,
    )
    return [(row["id"], row["kind"]) for row in rows]
