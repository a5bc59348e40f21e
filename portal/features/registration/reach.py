"""Whose registrations a person decides about: all of his territory, or of one class. A class is no part of a `Scope`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from portal.core.accounts import Scope
from portal.core.readings import ReadingStopped, alarm
from portal.core.scope import within
from portal.core.territory import NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from portal.core.accounts import Actor
    from portal.core.db import Connection

PERMISSION = "registration.confirm"


class Reach(msgspec.Struct, frozen=True):
    """A territory, and single classes: (school, «5А»)."""

    scope: Scope
    classes: tuple[tuple[int, str], ...]

    @property
    def told(self) -> Scope:
        """What row security is told: a class lies in its school; each statement narrows it to the class."""
        return Scope(
            country=self.scope.country,
            regions=self.scope.regions,
            schools=tuple(sorted({*self.scope.schools, *(school for school, _ in self.classes)})),
        )

    @property
    def parameters(self) -> tuple[bool, list[str], list[int], list[int], list[str]]:
        """As five parameters of a statement."""
        return *self.scope.parameters, [school for school, _ in self.classes], [name for _, name in self.classes]

    async def holds(self, db: Connection, school_id: int | None, class_name: str) -> bool:
        """Whether a class is in reach."""
        if (school_id, class_name.upper()) in self.classes:
            return True
        return await db.fetchval(
            """
            select exists (
                select 1 from school s join district d on d.id = s.district_id
                where s.id = $4 and ($1 or d.region_code = any ($2::text[]) or s.id = any ($3::int[])))
            """,
            *(*self.scope.parameters, school_id),
        )

    def fits(self, region: str, school_id: int | None, class_name: str) -> bool:
        """Whether a registration is in reach; one without a school lies in its region alone."""
        whole = self.scope.country or region in self.scope.regions or school_id in self.scope.schools
        return whole or (school_id is not None and (school_id, class_name.upper()) in self.classes)

    async def named(self, db: Connection) -> list[dict[str, object]]:
        """The single classes with code and name of their schools, to choose from."""
        rows = await db.fetch(
            f"""
            select s.code, {NAME.format("s")} as school, c.name
            from unnest($1::int[], $2::text[]) as c (school, name)
            join school s on s.id = c.school
            order by kk(s.name_kk), s.id, c.name
            """,
            *([school for school, _ in self.classes], [name for _, name in self.classes]),
        )
        return [dict(row) for row in rows]


def reach_of(actor: Actor) -> Reach:
    """Of the permission to confirm."""
    classes = {
        (grant.school, grant.class_name.upper())
        for grant in actor.grants
        if PERMISSION in grant.permissions and grant.class_name and grant.school is not None
    }
    return Reach(actor.scope(PERMISSION), tuple(sorted(classes)))


@contextlib.asynccontextmanager
async def reaching(db: Connection, actor: Actor) -> AsyncIterator[Reach]:
    """A transaction within the reach; what is read in it is counted like all reading of persons (SAFETY P1)."""
    reach = reach_of(actor)
    try:
        async with within(db, reach.told):
            yield reach
    except ReadingStopped:
        await alarm(db, actor)
        raise
