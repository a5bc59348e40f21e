"""Grants as pages show them: whose, which role, where, given by whom, until when, and whether they sleep."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

COLUMNS = """
    select g.id, g.staff_id, s.full_name, s.login, s.disabled_at is not null as shut, g.role, r.raised, r.teaches, r.registers, g.project,
           jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as name,
           case when p.code is not null
               then jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) end as project_name,
           g.region_code, g.district_id, g.school_id, g.class_name, g.own_pupils,
           case when re.code is not null
               then jsonb_build_object('kk', re.name_kk, 'ru', re.name_ru, 'en', re.name_en) end as region,
           case when d.id is not null
               then jsonb_build_object('kk', d.name_kk, 'ru', d.name_ru, 'en', d.name_en) end as district,
           case when sc.id is not null
               then jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) end as school,
           g.given_by, b.full_name as given_by_name,
           not exists (
               select
               from staff_grant own
               join role_permission rp on rp.role = own.role and rp.permission = 'staff.edit'
               where own.staff_id = b.id and b.disabled_at is null and b.id <> g.staff_id
                   and own.ends_at > now() and own.asleep_at is null) as giver_gone,
           g.given_at, g.ends_at, g.used_at, g.asleep_at, count(*) over () as total
    from staff_grant g
    join staff s on s.id = g.staff_id
    join role r on r.code = g.role
    left join project p on p.code = g.project
    left join region re on re.code = g.region_code
    left join district d on d.id = g.district_id
    left join school sc on sc.id = g.school_id
    left join staff b on b.id = g.given_by
"""
Which = Literal["ending", "asleep", "all"]
SORTS = {
    "end": "g.ends_at, g.id",
    "-end": "g.ends_at desc, g.id",
    "name": "kk(s.full_name), g.id",
    "-name": "kk(s.full_name) desc, g.id",
    "used": "g.used_at, g.id",
    "-used": "g.used_at desc, g.id",
}


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A grant with its names. `project` None: the whole house."""

    id: int
    staff_id: int
    full_name: str
    login: str
    shut: bool
    role: str
    raised: bool
    teaches: bool
    registers: bool
    project: str | None
    name: dict[str, str]
    project_name: dict[str, str] | None
    region_code: str | None
    district_id: int | None
    school_id: int | None
    class_name: str
    own_pupils: bool
    region: dict[str, str] | None
    district: dict[str, str] | None
    school: dict[str, str] | None
    given_by: int | None
    given_by_name: str | None
    giver_gone: bool
    given_at: datetime
    ends_at: datetime
    used_at: datetime
    asleep_at: datetime | None
    total: int

    def renewed_by(self, staff_id: int) -> bool:
        """Whether this person may renew or wake it: its giver, or anybody if he is gone; nobody his own."""
        return self.staff_id != staff_id and (self.giver_gone or self.given_by == staff_id)

    @property
    def fact(self) -> dict[str, object]:
        """For the trail."""
        return {
            "grant": self.id,
            "role": self.role,
            "project": self.project,
            "region": self.region_code,
            "district": self.district_id,
            "school": self.school_id,
            "class": self.class_name,
            "own_pupils": self.own_pupils,
            "ends_at": self.ends_at.isoformat(),
            "asleep": self.asleep_at is not None,
        }


async def grants_of(db: Connection, staff_id: int, *, over: bool = False) -> list[GrantRow]:
    """A person's grants that hold or sleep; with `over` also those that ended."""
    rows = await db.fetch(
        f"{COLUMNS} where g.staff_id = $1 and ($2 or g.ends_at > now()) order by g.ends_at desc, g.id", staff_id, over
    )
    return [GrantRow(**row) for row in rows]


async def find_grant(db: Connection, grant_id: int) -> GrantRow | None:
    """One grant."""
    row = await db.fetchrow(f"{COLUMNS} where g.id = $1", grant_id)
    return GrantRow(**row) if row else None


async def list_grants(
    db: Connection,
    *,
    which: Which,
    given_by: int | None,
    words: str,
    until: datetime,
    sort: str,
    limit: int,
    offset: int,
) -> list[GrantRow]:
    """Grants that have not ended: those that end before `until`, those asleep, or all."""
    rows = await db.fetch(
        f"""
        {COLUMNS}
        where g.ends_at > now() and s.disabled_at is null
            and ($1 = 'all' or ($1 = 'ending' and g.ends_at <= $2) or ($1 = 'asleep' and g.asleep_at is not null))
            and ($3::int is null or g.given_by = $3)
            and ($4 = '' or strpos(lower(concat_ws(' ', s.full_name, s.login)), lower($4)) > 0)
        order by {SORTS[sort]}
        limit $5 offset $6
        """,
        *(which, until, given_by, words, limit, offset),
    )
    return [GrantRow(**row) for row in rows]
