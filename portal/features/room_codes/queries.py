"""All SQL of the page of room codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.features.room_codes.structs import RoomCounts, RoomLine

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

IN_SCOPE = "($1 or d.region_code = any($2) or sc.id = any($3))"
STATES = {"open": "k.code is not null", "no-code": "k.number is null", "closed": "x.closed_at is not null"}
# Of a room's codes that are not closed the one that is open; after a restart the reserve form's, for that is sat now.
ROOMS = f"""
    from room r
    join sitting s on s.id = r.sitting_id
    join school sc on sc.id = r.school_id
    join district d on d.id = sc.district_id
    left join lateral (
        select c.number, o.code
        from room_code c
        left join room_code_open o on o.form_id = c.form_id and o.number = c.number
        where c.room_id = r.id and c.closed_at is null and c.form_id in (s.form_id, s.reserve_form_id)
        order by o.code is null, (c.form_id = s.form_id) = (o.code is not null)
        limit 1
    ) as k on true
    left join lateral (
        select max(c.closed_at) as closed_at
        from room_code c
        where c.room_id = r.id and c.form_id in (s.form_id, s.reserve_form_id)
    ) as x on true
    where {IN_SCOPE} and r.sitting_id = $4
"""


async def count(db: Connection, sitting_id: int, scope: Scope) -> RoomCounts:
    """How many rooms there are, and how their codes stand."""
    row = await db.fetchrow(
        f"""
        select count(*) as rooms, count(*) filter (where k.number is null) as without_code, count(k.code) as open,
               count(x.closed_at) as closed
        {ROOMS}
        """,
        *scope.parameters,
        sitting_id,
    )
    assert row is not None
    return RoomCounts(**row)


async def list_rooms(
    db: Connection, sitting_id: int, scope: Scope, *, region: str, state: str, words: str, limit: int, offset: int
) -> tuple[list[RoomLine], int]:
    """Rooms in Kazakh order of their schools, and how many there are."""
    where = f"""
        {ROOMS} and ({STATES.get(state, "true")}) and ($5 = '' or d.region_code = $5)
            and ($6 = '' or strpos(
                lower(concat_ws(' ', r.name, sc.name_kk, sc.name_ru, sc.name_en, sc.code, d.name_kk, d.name_ru)),
                lower($6)) > 0)
    """
    given = (*scope.parameters, sitting_id, region, words)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"""
        select r.id, r.name, sc.code as school_code, sc.contact_name, sc.contact_phone,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               jsonb_build_object('kk', d.name_kk, 'ru', d.name_ru, 'en', d.name_en) as district,
               (select count(*) from participant p where p.room_id = r.id) as pupils,
               k.number is not null as has_code, k.code, x.closed_at,
               coalesce((
                   select jsonb_agg(distinct jsonb_build_object('id', p.id, 'name', concat_ws(' ', p.last_name, p.first_name),
                                                                'early', o.early is not null))
                   from room_opening o
                   join participant p on p.id = o.attempt_id
                   where o.room_id = r.id and (o.early is not null or o.foreign_number)), '[]') as suspects
        {where}
        order by kk(d.name_kk), d.id, kk(sc.name_kk), sc.id, kk(r.name), r.id
        limit $7 offset $8
        """,
        *given,
        *(limit, offset),
    )
    lines = [msgspec.convert(dict(row), RoomLine) for row in rows]
    return lines, total
