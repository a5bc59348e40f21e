"""All SQL of sealed pictures: by number, without names, as everywhere in these rooms."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.projects import project

if TYPE_CHECKING:
    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

# For so long one look, with its reason, shows the picture.
LOOK_LIVES = "5 minutes"


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that nobody sees but the child-safety officer, and what he decided."""

    id: int
    sitting_id: int
    title: dict[str, str]
    attempt: int
    number: int
    seq: int
    taken_ms: int
    by: str
    sealed_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    words: str
    erased_at: datetime | None
    looks: int


SEAL = """
    select l.id, l.sitting_id, s.title, l.attempt_id as attempt, (l.attempt_id % 100000)::int as number, l.seq, l.taken_ms,
           b.full_name as by, l.sealed_at, l.state, o.full_name as decided_by, l.decided_at, l.words, l.erased_at,
           (select count(*)::int from picture_seal_look k where k.seal_id = l.id) as looks
    from picture_seal l
    join sitting s on s.id = l.sitting_id and s.project = $4
    join staff b on b.id = l.sealed_by
    left join staff o on o.id = l.decided_by
    join participant p on p.id = l.attempt_id
    join school sc on sc.id = p.school_id
    join district d on d.id = sc.district_id
    where ($1 or d.region_code = any($2) or p.school_id = any($3))
"""


async def seal(db: Connection, sitting_id: int, attempt: int, seq: int, taken_ms: int, staff_id: int) -> int | None:
    """Seal a picture; None: there is none like that, or it was sealed before."""
    done = await db.execute(
        """
        update picture set sealed_at = now()
        where sitting_id = $1 and attempt_id = $2 and seq = $3 and taken_ms = $4 and sealed_at is null
        """,
        *(sitting_id, attempt, seq, taken_ms),
    )
    if done == "UPDATE 0":
        return None
    return await db.fetchval(
        """
        insert into picture_seal (sitting_id, attempt_id, seq, taken_ms, sealed_by) values ($1, $2, $3, $4, $5)
        on conflict (attempt_id, seq, taken_ms) where state <> 'unsealed' do nothing
        returning id
        """,
        *(sitting_id, attempt, seq, taken_ms, staff_id),
    )


async def unseal(db: Connection, one: Seal) -> None:
    """It was a slip of the finger: the picture is seen again."""
    await db.execute(
        "update picture set sealed_at = null where sitting_id = $1 and attempt_id = $2 and seq = $3 and taken_ms = $4",
        *(one.sitting_id, one.attempt, one.seq, one.taken_ms),
    )


async def officers(db: Connection, attempt: int) -> list[int]:
    """The child-safety officers of a child's territory."""
    rows = await db.fetch(
        """
        select distinct g.staff_id
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        join staff_grant g on g.ends_at > now() and g.asleep_at is null and (g.project is null or g.project = $2)
            and not g.own_pupils and g.class_name = ''
            and (num_nonnulls(g.school_id, g.district_id, g.region_code) = 0
                 or g.school_id = p.school_id or g.district_id = d.id or g.region_code = d.region_code)
        join staff st on st.id = g.staff_id and st.disabled_at is null
        join role_permission rp on rp.role = g.role and rp.permission = 'watch.safety'
        where p.id = $1
        order by 1
        limit 50
        """,
        *(attempt, project()),
    )
    return [row["staff_id"] for row in rows]


async def listed(db: Connection, scope: Scope, state: str, *, limit: int, offset: int) -> tuple[list[Seal], int]:
    """A page of those in a state, the newest first."""
    where = f"{SEAL} and l.state = $5"
    known = (*scope.parameters, project(), state)
    total = await db.fetchval(f"select count(*) from ({where}) as found", *known)
    rows = await db.fetch(f"{where} order by l.id desc limit $6 offset $7", *known, limit, offset)
    return [Seal(**row) for row in rows], total


async def find(db: Connection, scope: Scope, seal_id: int, *, lock: bool = False) -> Seal | None:
    """One within the officer's territory."""
    row = await db.fetchrow(
        f"{SEAL} and l.id = $5" + (" for no key update of l" if lock else ""),
        *(*scope.parameters, project(), seal_id),
    )
    return Seal(**row) if row else None


async def look(db: Connection, seal_id: int, staff_id: int, reason: str) -> int:
    """The officer opens it, with a reason."""
    return await db.fetchval(
        "insert into picture_seal_look (seal_id, staff_id, reason) values ($1, $2, $3) returning id",
        *(seal_id, staff_id, reason),
    )


async def look_of(db: Connection, seal_id: int, staff_id: int) -> int | None:
    """His look that still shows the picture."""
    return await db.fetchval(
        f"""
        select max(id) from picture_seal_look
        where seal_id = $1 and staff_id = $2 and at > now() - interval '{LOOK_LIVES}'
        """,
        *(seal_id, staff_id),
    )


async def decide(db: Connection, seal_id: int, staff_id: int, state: str, words: str) -> None:
    """What the officer decided."""
    await db.execute(
        "update picture_seal set state = $3, decided_by = $2, decided_at = now(), words = $4 where id = $1",
        *(seal_id, staff_id, state, words),
    )
