"""Giving roles, taking, renewing and waking them; callers own the transaction and the audit record.

A grant always has an end, at the latest that of the school year, and one that nobody uses falls asleep (SAFETY P1).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core import audit
from portal.core.i18n import ASTANA
from portal.core.projects import PROJECT

if TYPE_CHECKING:
    from portal.core.db import Connection

# Lessons end on 25 May, but places, appeals and the summer's second rounds go on; on 1 September people change their
# posts. So a grant ends, at the latest, with the last day before that.
SCHOOL_YEAR_ENDS = (8, 31)
UNUSED = timedelta(days=30)
ENDS_SOON = timedelta(days=30)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The territory of a grant; nothing set: the whole country."""

    region: str | None = None
    district: int | None = None
    school: int | None = None
    class_name: str = ""
    own_pupils: bool = False


COUNTRY = Place()


def school_year_end(now: datetime) -> datetime:
    """The last moment of the school year; of the coming one when this one ends within a month, so that it can be renewed."""
    month, day = SCHOOL_YEAR_ENDS
    local = now.astimezone(ASTANA)
    end = local.replace(month=month, day=day, hour=23, minute=59, second=59, microsecond=0)
    return end if end > now + ENDS_SOON else end.replace(year=end.year + 1)


async def give_role(
    db: Connection,
    *,
    staff_id: int,
    role: str,
    ends_at: datetime,
    place: Place = COUNTRY,
    project: str = PROJECT,
    given_by: int | None = None,
) -> int:
    """A role until `ends_at`, the end of the school year at the latest; its id.

    A project's own role is given in its project whatever `project` says, one of the house in no project alone.
    """
    return await db.fetchval(
        """
        insert into staff_grant (staff_id, role, project, region_code, district_id, school_id, class_name, own_pupils,
                                 given_by, ends_at)
        select $1, r.code, case r.kind when 'working' then $3 else r.project end, $4, $5, $6, $7, $8, $9, $10
        from role r
        where r.code = $2
        returning id
        """,
        *(staff_id, role, project, place.region, place.district, place.school, place.class_name, place.own_pupils),
        *(given_by, min(ends_at, school_year_end(datetime.now(UTC)))),
    )


async def end_grant(db: Connection, grant_id: int, at: datetime) -> bool:
    """Take a role away; False if it had ended before."""
    done = await db.fetchval(
        "update staff_grant set ends_at = $2 where id = $1 and ends_at > $2 returning id", grant_id, at
    )
    return done is not None


async def renew(db: Connection, grant_id: int, ends_at: datetime, at: datetime) -> bool:
    """A later end for a grant that still holds; it counts as used."""
    done = await db.fetchval(
        "update staff_grant set ends_at = $2, used_at = $3, asleep_at = null where id = $1 and ends_at > $3 returning id",
        *(grant_id, min(ends_at, school_year_end(at)), at),
    )
    return done is not None


async def wake(db: Connection, grant_id: int, at: datetime) -> bool:
    """A sleeping grant gives again; False if it did not sleep or is over."""
    done = await db.fetchval(
        """
        update staff_grant set asleep_at = null, used_at = $2
        where id = $1 and asleep_at is not null and ends_at > $2
        returning id
        """,
        *(grant_id, at),
    )
    return done is not None


async def put_to_sleep(db: Connection, at: datetime) -> int:
    """Every grant of staff that nobody used for 30 days falls asleep, on record; how many.

    Of those who can wake others the one who was there last stays awake: else nobody could ever be woken.
    """
    async with db.transaction():
        rows = await db.fetch(
            """
            with keyholder as (
                select g.id, g.used_at
                from staff_grant g
                join staff s on s.id = g.staff_id and s.disabled_at is null
                where g.ends_at > $1 and g.asleep_at is null and g.own_pupils = false
                    and num_nonnulls(g.region_code, g.district_id, g.school_id) = 0
                    and exists (select from role_permission where role = g.role and permission = 'role.edit')
                    and exists (select from role_permission where role = g.role and permission = 'staff.edit')
            )
            update staff_grant g
            set asleep_at = $1
            where g.ends_at > $1 and g.asleep_at is null and g.used_at < $2
                and not exists (select from role r where r.code = g.role and r.registers)
                and g.id is distinct from (select id from keyholder order by used_at desc, id limit 1)
            returning g.id, g.staff_id, g.role, g.used_at
            """,
            *(at, at - UNUSED),
        )
        for row in sorted(rows, key=lambda row: row["id"]):
            fact: dict[str, object] = {"grant": row["id"], "role": row["role"], "used_at": row["used_at"].isoformat()}
            await audit.record_for(
                db,
                staff_id=None,
                acting_as="-",
                address="-",
                act="staff.grant.slept",
                kind="staff",
                object_id=row["staff_id"],
                before=fact,
                after={**fact, "asleep": True},
            )
    return len(rows)
