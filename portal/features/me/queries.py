"""SQL of the own card; runs within `portal.core.scope.as_oneself`."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.problems import NotThere
from portal.core.territory import NAME

if TYPE_CHECKING:
    from portal.core.db import Connection


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data. `sealed` and `blind` are the IIN's."""

    birth_date: date
    sex: str | None
    language: str
    phone: str
    email: str
    grade: int | None
    class_letter: str
    region: dict[str, str]
    school: dict[str, str] | None
    made_at: datetime
    sealed: bytes | None
    blind: bytes | None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A project that he takes part in."""

    project: dict[str, str]
    role: str
    joined_at: datetime


async def data(db: Connection, person_id: int) -> Data:
    """One's own row."""
    row = await db.fetchrow(
        f"""
        select p.birth_date, p.sex, p.language, p.phone, p.email, p.grade, p.class_letter, {NAME.format("r")} as region,
               case when sc.id is not null then {NAME.format("sc")} end as school, p.made_at, i.sealed, i.blind
        from person p
        join region r on r.code = p.region_code
        left join school sc on sc.id = p.school_id
        left join person_iin i on i.person_id = p.id
        where p.id = $1
        """,
        person_id,
    )
    if row is None:
        raise NotThere
    return Data(**row)


async def memberships(db: Connection, person_id: int) -> list[Membership]:
    """His projects."""
    rows = await db.fetch(
        f"""
        select {NAME.format("pr")} as project, m.role, m.joined_at
        from person_project m
        join project pr on pr.code = m.project
        where m.person_id = $1
        order by m.joined_at, m.project
        """,
        person_id,
    )
    return [Membership(**row) for row in rows]
