"""What the overview and the search read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core.db import containing
from portal.core.projects import project
from portal.core.sittings import REACHED

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection


class NearSitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting that runs, comes or was just held."""

    id: int
    title: dict[str, str]
    state: str
    starts_at: datetime
    last_entry_at: datetime
    participants: int
    watched: bool = False


class FoundPupil(msgspec.Struct, frozen=True, kw_only=True):
    """A hit of the search."""

    id: int
    sitting_id: int
    name: str
    school: dict[str, str]
    grade: int
    class_letter: str
    sitting: dict[str, str]
    starts_at: datetime


async def near_sittings(db: Connection, scope: Scope) -> list[NearSitting]:
    """Six sittings around now, drafts too."""
    rows = await db.fetch(
        """
        select s.id, s.title, s.state, s.starts_at, s.last_entry_at,
               (select count(*) from participant p where p.sitting_id = s.id) as participants,
               exists (select 1 from sitting_watch w where w.sitting_id = s.id) as watched
        from sitting s
        where s.state <> 'archived' and s.project = $4
            and ($1 or exists (
                select 1
                from sitting_region sr
                left join district d on d.region_code = sr.region_code
                left join school sc on sc.district_id = d.id
                where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
        order by abs(extract(epoch from s.starts_at - now())), s.id
        limit 6
        """,
        *scope.parameters,
        project(),
    )
    return [NearSitting(**row) for row in rows]


async def find_sittings(db: Connection, scope: Scope, words: str) -> list[NearSitting]:
    """Sittings whose title, in any language, has all the words; the newest first."""
    patterns = containing(words, most=4)
    rows = await db.fetch(
        """
        select s.id, s.title, s.state, s.starts_at, s.last_entry_at, 0::bigint as participants
        from sitting s
        where lower(concat_ws(' ', s.title ->> 'kk', s.title ->> 'ru', s.title ->> 'en')) like all($4)
            and s.state <> 'archived' and s.project = $5
            and ($1 or exists (
                select 1
                from sitting_region sr
                left join district d on d.region_code = sr.region_code
                left join school sc on sc.district_id = d.id
                where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
        order by s.starts_at desc, s.id
        limit 5
        """,
        *scope.parameters,
        *(patterns, project()),
    )
    return [NearSitting(**row) for row in rows]


async def find_pupils(db: Connection, scope: Scope, words: str) -> list[FoundPupil]:
    """All words of the query occur in the name, in any order."""
    patterns = containing(words, most=4)
    rows = await db.fetch(
        f"""
        select p.id, p.sitting_id, concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, '')) as name,
               p.grade, p.class_letter, s.title as sitting, s.starts_at,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school
        from participant p
        join sitting s on s.id = p.sitting_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.search_name like all($7) and s.project = $8 and {REACHED}
        order by s.starts_at desc, p.sort_name, p.id
        limit 50
        """,
        *scope.of_pupils,
        *(patterns, project()),
    )
    return [FoundPupil(**row) for row in rows]


async def to_renew(db: Connection, staff_id: int, soon: timedelta) -> int:
    """Roles this person gave to others that end soon or sleep."""
    return await db.fetchval(
        """
        select count(*)
        from staff_grant g
        join staff s on s.id = g.staff_id and s.disabled_at is null
        where g.given_by = $1 and g.staff_id <> $1 and g.ends_at > now()
            and (g.ends_at < now() + $2::interval or g.asleep_at is not null)
        """,
        *(staff_id, soon),
    )
