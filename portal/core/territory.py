"""Regions and schools, as lists to choose from and as names to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

NAME = "jsonb_build_object('kk', {0}.name_kk, 'ru', {0}.name_ru, 'en', {0}.name_en)"


class Region(msgspec.Struct, frozen=True):
    """A first-level unit."""

    code: str
    name: dict[str, str]


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A school with its place."""

    id: int
    code: str
    name: dict[str, str]
    region_code: str
    district: dict[str, str]
    contact_name: str
    contact_phone: str


async def regions(db: Connection, scope: Scope | None = None) -> list[Region]:
    """In Kazakh order; with a scope, those of it."""
    rows = await db.fetch(
        f"""
        select r.code, {NAME.format("r")} as name
        from region r
        where $1 or r.code = any($2) or r.code in (
            select d.region_code from school s join district d on d.id = s.district_id where s.id = any($3))
        order by kk(r.name_kk), r.code
        """,
        *(scope.parameters if scope else (True, [], [])),
    )
    return [Region(**row) for row in rows]


async def school(db: Connection, school_id: int, scope: Scope) -> School | None:
    """One school within a scope."""
    row = await db.fetchrow(
        f"""
        select s.id, s.code, {NAME.format("s")} as name, d.region_code, {NAME.format("d")} as district,
               s.contact_name, s.contact_phone
        from school s
        join district d on d.id = s.district_id
        where s.id = $4 and ($1 or d.region_code = any($2) or s.id = any($3))
        """,
        *scope.parameters,
        school_id,
    )
    return School(**row) if row else None
