"""Who may decide an act is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core import notices
from portal.core.accounts.structs import ANONYMOUS, PROJECT, Grant
from portal.core.acts.registry import ACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.core.accounts.structs import Actor
    from portal.core.acts.pending import Pending
    from portal.core.db import Connection

# An act over the country may be decided by many; the first hundred are enough of a crowd.
MOST_TOLD = 100


async def tell_deciders(db: Connection, act: Pending, may_decide: Callable[[Actor, Pending], bool]) -> None:
    """A notice to each who may be the second person, judged by the very rule that will let him."""
    rows = await db.fetch(
        """
        select st.id, st.own_school_id,
               jsonb_agg(jsonb_build_object('role', g.role, 'region', g.region_code, 'school', g.school_id,
                   'permissions', (
                       select coalesce(jsonb_agg(rp.permission), '[]'::jsonb)
                       from role_permission rp where rp.role = g.role))) as grants
        from staff st
        join staff_grant g on g.staff_id = st.id and g.project = $2 and g.ends_at > now()
        where st.disabled_at is null and st.id <> $1
        group by st.id
        having bool_or(exists (
                select from role_permission rp where rp.role = g.role and rp.permission = 'act.decide'))
            and bool_or(exists (select from role_permission rp where rp.role = g.role and rp.permission = $3))
        order by st.id
        """,
        *(act.made_by, PROJECT, ACTS[act.act].permission),
    )
    told = 0
    for row in rows:
        person = msgspec.structs.replace(
            ANONYMOUS,
            staff_id=row["id"],
            own_school_id=row["own_school_id"],
            grants=msgspec.convert(row["grants"], tuple[Grant, ...]),
        )
        if told < MOST_TOLD and may_decide(person, act):
            filled: dict[str, object] = {"act": {"text": ACTS[act.act].text}, "asker": act.made_by_name}
            await notices.tell(db, row["id"], "act.waits", about=act.id, link="/acts", filled=filled)
            told += 1
