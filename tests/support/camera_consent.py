"""A participant who is a person of the registry, and the consent to his camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from tests.support.sittings import make_sitting
from tests.support.watched import watch

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

    Db = asyncpg.Connection[asyncpg.Record]


async def known_person(db: Db, attempt: int) -> int:
    """A row of the registry that is this participant."""
    return await db.fetchval(
        """
        with made as (
            insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
            select p.last_name, p.first_name, 'x', 'x', p.birth_date, p.language, d.region_code
            from participant p
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            where p.id = $1
            returning id
        )
        update participant set person_id = (select id from made) where id = $1 returning person_id
        """,
        attempt,
    )


async def give_camera(db: Db, person: int) -> None:
    """His mother signs."""
    await db.execute(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on)
        values ($1, 'camera', 'Анасы', 'mother', '1', 'kk', 'paper', current_date)
        """,
        person,
    )


async def withdraw_camera(db: Db, person: int) -> None:
    """She takes it back."""
    await db.execute("update consent set withdrawn_at = now() where person_id = $1 and purpose = 'camera'", person)


async def sitting_with_camera(stack: Stack, owner_url: str, *, every_s: int) -> tuple[Scene, int]:
    """A proctored sitting that began two minutes ago, whose first pupil's mother agreed, and his row of the registry."""
    made = await make_sitting(stack, owner_url, starts_in_s=-120)
    db = await asyncpg.connect(owner_url)
    try:
        await watch(db, made.sitting, every_s=every_s)
        person = await known_person(db, made.seats[0].attempt)
        await give_camera(db, person)
    finally:
        await db.close()
    return made, person
