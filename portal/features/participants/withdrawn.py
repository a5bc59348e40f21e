"""Who may no longer sit: his codes of sittings not begun are locked at once and his rows taken out within the term (SAFETY P6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portal.core import notices
from portal.core.consents import Line, feeds
from portal.core.i18n import N_
from portal.core.names import fold
from portal.features.participants.queries import set_lock

if TYPE_CHECKING:
    from asyncpg import Record

    from portal.core.db import Connection

TAKEN_OUT = N_("Taken out of a sitting: {sitting}")
STAYS = N_("An attempt that was begun stays with its results, locked: {sitting}")


async def stop(db: Connection, person_id: int) -> list[Line]:
    """Lock, and tell the coordinators, who would look for the child on the day."""
    for row in await _of_person(db, person_id):
        if row["begun"]:
            continue
        if row["locked_at"] is None:
            await set_lock(db, row["id"], datetime.now(UTC))
        for staff_id in await _coordinators(db, row):
            await notices.tell(
                db,
                staff_id,
                "consent.sitting",
                about=row["id"],
                link=f"/sittings/{row['sitting_id']}/participants/{row['id']}",
                filled={"sitting": row["title"], "school": row["school"]},
            )
    return []


async def erase(db: Connection, person_id: int) -> list[Line]:
    """Rows that nobody sat with go; what was answered is the sitting's record."""
    lines: list[Line] = []
    for row in await _of_person(db, person_id):
        if row["sat"]:
            lines.append(Line(STAYS, {"sitting": row["title"]}))
        elif row["locked_at"] is not None:
            await db.execute("delete from participant where id = $1", row["id"])
            lines.append(Line(TAKEN_OUT, {"sitting": row["title"]}))
    return lines


async def _of_person(db: Connection, person_id: int) -> list[Record]:
    """His rows: by the external id, or by name, birth date and school; by name and birth date alone if nobody shares both."""
    person = await db.fetchrow(
        """
        select p.external_id, p.name_key, p.birth_date, p.school_id, not exists (
            select 1 from person o
            where o.name_key = p.name_key and o.birth_date = p.birth_date and o.id <> p.id and o.status = 'active') as alone
        from person p
        where p.id = $1
        """,
        person_id,
    )
    assert person is not None
    rows = await db.fetch(
        """
        select p.id, p.sitting_id, p.school_id, p.external_id, p.last_name, p.first_name, p.locked_at, s.title, s.project,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school, sc.district_id, d.region_code,
               s.starts_at <= now() or s.state in ('closed', 'archived') as begun,
               exists (select 1 from attempt a where a.id = p.id) as sat
        from participant p
        join sitting s on s.id = p.sitting_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.external_id = $1 or p.birth_date = $2
        order by p.id
        """,
        *(person["external_id"], person["birth_date"]),
    )
    return [
        row
        for row in rows
        if (person["external_id"] is not None and row["external_id"] == person["external_id"])
        or (
            fold(f"{row['last_name']} {row['first_name']}") == person["name_key"]
            and (person["alone"] or row["school_id"] == person["school_id"])
        )
    ]


async def _coordinators(db: Connection, row: Record) -> list[int]:
    """Who prints this school's slips: those who would hand one to the child."""
    rows = await db.fetch(
        """
        select distinct g.staff_id
        from staff_grant g
        join staff st on st.id = g.staff_id and st.disabled_at is null
        join role_permission rp on rp.role = g.role and rp.permission = 'slip.print'
        where g.ends_at > now() and g.asleep_at is null and (g.project is null or g.project = $1)
            and not g.own_pupils and g.class_name = ''
            and (g.school_id = $2 or g.district_id = $3 or g.region_code = $4)
        order by 1
        limit 50
        """,
        *(row["project"], row["school_id"], row["district_id"], row["region_code"]),
    )
    return [one["staff_id"] for one in rows]


feeds("sitting", stop=stop, erase=erase)
