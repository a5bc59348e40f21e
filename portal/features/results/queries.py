"""All SQL of a person's results and work. Runs within `portal.core.cards`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.projects import project
from portal.core.sittings import REACHED
from portal.core.territory import NAME
from portal.features.results.structs import ACTS, Done, Participation

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

SORTS = {"-at": "a.id desc", "at": "a.id"}


async def participations(db: Connection, person_id: int) -> list[Participation]:
    """Sittings of a person, the newest first, with what was published."""
    rows = await db.fetch(
        """
        select attempt_id, sitting_id, title, project, starts_at, grade, started_at, finished_at, raw, max_points, scaled,
               percentile
        from participations_of($1)
        order by starts_at desc, attempt_id desc
        """,
        person_id,
    )
    return [Participation(**row) for row in rows]


async def reached(db: Connection, attempts: list[int], scope: Scope) -> set[int]:
    """Those whose page opens to who asks: of a sitting of his project, within his territory."""
    rows = await db.fetch(
        f"""
        select p.id
        from participant p
        join sitting s on s.id = p.sitting_id and s.project = $8
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.id = any($7) and {REACHED}
        """,
        *scope.of_pupils,
        *(attempts, project()),
    )
    return {row["id"] for row in rows}


async def done(
    db: Connection, person_id: int, *, act: str, sort: str, limit: int, offset: int
) -> tuple[list[Done], int]:
    """What the person's login did with sittings, as the trail says."""
    given = (person_id, [act] if act else list(ACTS))
    whose = """
        from staff st
        join audit a on a.staff_id = st.id and a.object_kind = 'sitting' and a.act = any ($2::text[])
        join sitting s on s.id::text = a.object_id
        join project p on p.code = s.project
        where st.person_id = $1
    """
    total = await db.fetchval(f"select count(*) {whose}", *given)
    rows = await db.fetch(
        f"""
        select a.id, a.at, a.act, s.id as sitting_id, s.title, {NAME.format("p")} as project,
               (select count(*) from participant pt where pt.sitting_id = s.id)::int as pupils
        {whose}
        order by {SORTS[sort]}
        limit $3 offset $4
        """,
        *given,
        *(limit, offset),
    )
    return [Done(**row) for row in rows], total
