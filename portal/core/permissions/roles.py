"""The roles as the database has them: each project's own, working roles that exist in each project, and the house's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role. `kind`: project, working or house.

    `raised`: beyond reading it works in raised sessions only; `teaches`: of persons it reaches a class and own pupils alone.
    """

    code: str
    kind: str
    project: str | None
    name: dict[str, str]
    raised: bool
    teaches: bool


async def all_roles(db: Connection) -> list[Role]:
    """Every role: projects in their order, then working roles, then the house's."""
    rows = await db.fetch(
        """
        select r.code, r.kind, r.project, r.raised, r.teaches,
               jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as name
        from role r
        left join project p on p.code = r.project
        order by p.place nulls last, r.kind desc, r.place, r.code
        """
    )
    return [Role(**row) for row in rows]
