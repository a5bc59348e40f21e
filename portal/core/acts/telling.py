"""Who may decide an act is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core import notices
from portal.core.accounts.acting import grant_now
from portal.core.accounts.structs import ANONYMOUS
from portal.core.acts.registry import ACTS
from portal.core.projects import project

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.core.accounts.structs import Actor
    from portal.core.acts.pending import Pending
    from portal.core.db import Connection

# An act may be decided by many, and a hundred are enough of a crowd: those of the narrower territory, who know the place,
# then those who were at work last.
MOST_TOLD = 100


async def tell_deciders(db: Connection, act: Pending, may_decide: Callable[[Actor, Pending], bool]) -> None:
    """A notice to each who may be the second person, judged by the very rule that will let him."""
    rows = await db.fetch(
        """
        select st.id, st.own_school_id,
               jsonb_agg(jsonb_build_object(
                   'id', g.id, 'role', g.role, 'project', g.project, 'region', g.region_code, 'district', g.district_id,
                   'district_schools', array(select id from school where district_id = g.district_id),
                   'school', g.school_id, 'class_name', g.class_name, 'own_pupils', g.own_pupils, 'used_at', g.used_at,
                   'name', jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en), 'raised', r.raised,
                   'teaches', r.teaches,
                   'permissions', (
                       select coalesce(jsonb_object_agg(rp.permission, rp.at_rest), '{}'::jsonb)
                       from role_permission rp where rp.role = g.role))) as grants
        from staff st
        join staff_grant g on g.staff_id = st.id and (g.project is null or g.project = $2) and g.ends_at > now()
            and g.asleep_at is null
        join role r on r.code = g.role
        where st.disabled_at is null and st.id <> $1
        group by st.id
        having bool_or(exists (
                select from role_permission rp where rp.role = g.role and rp.permission = 'act.decide'))
            and bool_or(exists (select from role_permission rp where rp.role = g.role and rp.permission = $3))
        order by bool_and(num_nonnulls(g.region_code, g.district_id, g.school_id) = 0), max(g.used_at) desc, st.id
        """,
        *(act.made_by, project(), ACTS[act.act].permission),
    )
    told = 0
    for row in rows:
        person = msgspec.structs.replace(
            ANONYMOUS,
            staff_id=row["id"],
            own_school_id=row["own_school_id"],
            # Who works in raised sessions is told too: he raises one to decide.
            grants=tuple(grant_now(given, True) for given in row["grants"]),
        )
        if told < MOST_TOLD and may_decide(person, act):
            filled: dict[str, object] = {"act": {"text": ACTS[act.act].text}, "asker": act.made_by_name}
            await notices.tell(db, row["id"], "act.waits", about=act.id, link="/acts", filled=filled)
            told += 1
