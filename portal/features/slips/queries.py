"""All SQL of slips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.codes import draw_code, hash_code
from portal.features.slips.structs import SchoolLine, Slip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.accounts import Scope
    from portal.core.db import Connection

IN_SCOPE = "($1 or d.region_code = any($2) or sc.id = any($3))"


async def schools(
    db: Connection, sitting_id: int, scope: Scope, *, region: str, words: str, limit: int, offset: int
) -> tuple[list[SchoolLine], int]:
    """Schools of the sitting in Kazakh order."""
    rows = await db.fetch(
        f"""
        select sc.id, jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as name,
               jsonb_build_object('kk', d.name_kk, 'ru', d.name_ru, 'en', d.name_en) as district, d.region_code,
               count(p.id) as pupils, count(p.code_hash) as with_code, count(*) over () as total
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where {IN_SCOPE} and p.sitting_id = $4 and ($5 = '' or d.region_code = $5)
            and ($6 = '' or strpos(
                lower(concat_ws(' ', sc.name_kk, sc.name_ru, sc.code, d.name_kk, d.name_ru)), lower($6)) > 0)
        group by sc.id, d.id
        order by kk(d.name_kk), kk(sc.name_kk), sc.id
        limit $7 offset $8
        """,
        *scope.parameters,
        *(sitting_id, region, words, limit, offset),
    )
    lines = [SchoolLine(**{name: value for name, value in row.items() if name != "total"}) for row in rows]
    return lines, rows[0]["total"] if rows else 0


async def lock_pupils(
    db: Connection,
    sitting_id: int,
    scope: Scope,
    *,
    school: int | None,
    participant: int | None,
    again: bool,
    limit: int,
) -> list[Slip]:
    """The pupils to print, in class order; their rows are locked, for each gets a new code."""
    rows = await db.fetch(
        f"""
        select p.id as participant_id, p.school_id, p.first_name, left(p.last_name, 1) as initial, p.grade, p.class_letter,
               p.language, jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where {IN_SCOPE} and p.sitting_id = $4 and ($5::int is null or p.school_id = $5)
            and ($6::bigint is null or p.id = $6) and ($7 or p.code_hash is null)
        order by p.school_id, p.grade, p.class_letter, p.sort_name, p.id
        limit $8
        for no key update of p
        """,
        *scope.parameters,
        *(sitting_id, school, participant, again, limit),
    )
    return [Slip(**row) for row in rows]


async def give_codes(db: Connection, participant_ids: Sequence[int], pepper: bytes) -> dict[int, str]:
    """New codes, in clear only in the answer; only their keyed hashes are stored, and old codes die with this."""
    codes = {participant_id: draw_code() for participant_id in participant_ids}
    await db.execute(
        """
        update participant p
        set code_hash = new.hash, code_version = p.code_version + 1
        from unnest($1::bigint[], $2::bytea[]) as new (id, hash)
        where p.id = new.id
        """,
        list(codes),
        [hash_code(code, pepper) for code in codes.values()],
    )
    return codes


async def help_contact(db: Connection, sitting_id: int) -> tuple[str, str]:
    """Whom pupils call."""
    row = await db.fetchrow("select help_name, help_phone from sitting where id = $1", sitting_id)
    assert row is not None
    return row["help_name"], row["help_phone"]
