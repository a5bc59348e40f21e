"""A waiver: for half an hour of an outage one person may do what needs two (SAFETY J5).

Which acts it covers stands with each act (`Act.waivable`); what moves results is never among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import audit, notices
from portal.core.acts.pending import drop_twins, find
from portal.core.acts.registry import ACTS
from portal.core.projects import project

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection


REVIEWERS = 2


async def to_review(db: Connection, actor: Actor) -> int:
    """How many waived acts still need this person's look: he took no part, and fewer than two others have looked."""
    if not actor.scope("act.waive").country:
        return 0
    return await db.fetchval(
        """
        select count(*)
        from pending_act p
        join waiver w on w.id = p.waiver_id
        where w.project = $2 and $1 not in (w.asked_by, w.agreed_by, p.made_by)
            and (select count(*) from waived_review r where r.act_id = p.id) < $3
            and not exists (select from waived_review r where r.act_id = p.id and r.reviewed_by = $1)
        """,
        *(actor.staff_id, project(), REVIEWERS),
    )


async def do_waived(db: Connection, actor: Actor, act_id: int, settings: PortalSettings) -> bool:
    """Do an act that was just asked for, if a waiver is in force and covers it; False: it waits.

    Called in the transaction of the asking. The act says for ever under which waiver it was done, and so does the trail.
    """
    act = await find(db, actor, act_id, lock=True)
    if not ACTS[act.act].waivable or act.made_by != actor.staff_id or act.state != "waits":
        return False
    waiver_id = await db.fetchval(
        """
        update pending_act
        set state = 'done', decided_by = made_by, decided_at = now(), waiver_id = w.id
        from waiver w
        where pending_act.id = $1 and w.id = (
            select max(id) from waiver where project = $2 and began_at <= clock_timestamp() and ends_at > clock_timestamp())
        returning w.id
        """,
        *(act_id, project()),
    )
    if waiver_id is None:
        return False
    await notices.done_with(db, "act.waits", act_id)
    fact: dict[str, object] = {"act": act.act, "waiver": waiver_id}
    await audit.record(db, actor, "act.act.waived", kind="act", object_id=act_id, after=fact, reason=act.reason)
    await ACTS[act.act].perform(db, actor, act, settings)
    await drop_twins(db, act)
    return True
