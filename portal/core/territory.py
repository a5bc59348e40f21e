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


class District(msgspec.Struct, frozen=True):
    """A second-level unit of a region."""

    id: int
    name: dict[str, str]
    region_code: str
    region: dict[str, str]


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


async def districts(db: Connection) -> list[District]:
    """All, by region and in Kazakh order."""
    rows = await db.fetch(
        f"""
        select d.id, {NAME.format("d")} as name, d.region_code, {NAME.format("r")} as region
        from district d
        join region r on r.code = d.region_code
        order by kk(r.name_kk), r.code, kk(d.name_kk), d.id
        """
    )
    return [District(**row) for row in rows]


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place with all that it lies in; everything None: the whole country."""

    region: str | None = None
    district: int | None = None
    school: int | None = None
    name: dict[str, str] | None = None


async def spot(db: Connection, *, region: str, district: int | None, school_code: str) -> Spot | None:
    """The narrowest of what was named, with its parents; None: there is no such place."""
    if school_code:
        row = await db.fetchrow(
            f"""
            select d.region_code as region, d.id as district, s.id as school, {NAME.format("s")} as name
            from school s
            join district d on d.id = s.district_id
            where s.code = $1
            """,
            school_code,
        )
    elif district is not None:
        row = await db.fetchrow(
            f"select d.region_code as region, d.id as district, {NAME.format('d')} as name from district d where d.id = $1",
            district,
        )
    elif region:
        row = await db.fetchrow(
            f"select r.code as region, {NAME.format('r')} as name from region r where code = $1", region
        )
    else:
        return Spot()
    return Spot(**row) if row else None
