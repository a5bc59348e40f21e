"""The waiting acts. Their territory is in the payload (`regions`, `schools`), so that scope decides who may see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core import audit, notices
from portal.core.acts.registry import ACTS
from portal.core.acts.telling import tell_deciders
from portal.core.i18n import N_, Text
from portal.core.problems import NotThere, Problem
from portal.core.projects import project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from asyncpg import Record

    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor, Scope
    from portal.core.db import Connection

COLUMNS = """
    p.id, p.sitting_id, p.act, p.payload, p.before, p.after, p.reason, p.made_by, p.made_at, p.decided_by,
    p.decided_at, p.state, p.waiver_id, m.full_name as made_by_name, d.full_name as decided_by_name, s.title as sitting_title
"""
# For so long who held a login in his hand and its owner count as one person.
HANDS_APART = timedelta(days=30)
ON_LOGINS = [
    "staff.person.made",
    "staff.person.disabled",
    "staff.person.enabled",
    "staff.password.reset",
    "staff.factor.reset",
    "staff.role.given",
    "staff.role.taken",
]
SHOWN, DECIDED_SHOWN, AT_A_TIME = 500, 50, 500
LAST_ID = 2**63 - 1
TABLES = """
    from pending_act p
    join staff m on m.id = p.made_by
    left join staff d on d.id = p.decided_by
    left join sitting s on s.id = p.sitting_id
"""


class SamePerson(Problem):
    """SAFETY J5."""

    code = "same-person"
    status = 403
    title = N_("You asked for this yourself.")
    advice = N_("A second person has to look at it. You can withdraw it.")


class SameHand(Problem):
    """One of the two holds the other's login in his hand."""

    code = "same-hand"
    status = 403
    title = N_("One of you two lately made or changed the other's login.")
    advice = N_(
        "Whoever made a login, gave or took its roles or set its password is no second person to it for {days} days, "
        "nor the other way round. Nothing was changed. Ask a third colleague."
    )


class AlreadyDecided(Problem):
    """Another was first."""

    code = "already-decided"
    status = 409
    title = N_("This was decided before.")
    advice = N_("Reload the list to see who decided and how.")


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An act on its way. `before` and `after` are lines for the second person: (name, value) in their order."""

    id: int
    sitting_id: int | None
    act: str
    payload: dict[str, Any]
    before: list[tuple[str, Any]]
    after: list[tuple[str, Any]]
    reason: str
    made_by: int
    made_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    state: str
    waiver_id: int | None
    made_by_name: str
    decided_by_name: str | None
    sitting_title: dict[str, str] | None

    def within(self, scope: Scope) -> bool:
        """Whether all it touches lies in a scope."""
        regions, schools = self.payload.get("regions", []), self.payload.get("schools", [])
        if scope.country:
            return True
        if schools and all(school in scope.schools for school in schools):
            return True
        return bool(regions) and all(region in scope.regions for region in regions)


async def ask(
    db: Connection,
    actor: Actor,
    act: str,
    *,
    sitting_id: int | None,
    payload: dict[str, Any],
    before: Mapping[str, object],
    after: Mapping[str, object],
    reason: str,
) -> int:
    """Put an act before a second person; on record, and told to those who may decide it."""
    act_id = await db.fetchval(
        """
        insert into pending_act (sitting_id, act, payload, before, after, reason, made_by, project)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning id
        """,
        *(sitting_id, ACTS[act].code, payload, packed(before), packed(after), reason, actor.staff_id),
        None if ACTS[act].of_house else project(),
    )
    fact = {"act": act, "before": packed(before), "after": packed(after)}
    await audit.record(db, actor, "act.act.asked", kind="act", object_id=act_id, after=fact, reason=reason)
    await tell_deciders(db, await find(db, actor, act_id), may_decide)
    return act_id


def packed(lines: Mapping[str, object]) -> list[list[object]]:
    """Lines as they are stored: in their order, and texts untranslated, for the second person's own language."""
    return [[name, _packed(value)] for name, value in lines.items()]


def _packed(value: object) -> object:
    if isinstance(value, Text):
        return {"text": value.message, "values": {name: str(filled) for name, filled in value.values.items()}}
    return [_packed(one) for one in value] if isinstance(value, list) else value


async def waiting(db: Connection, actor: Actor) -> list[Pending]:
    """What waits in the actor's scope, oldest first; of more than a page holds, the newest."""
    found: list[Pending] = []
    before = LAST_ID
    # Scope is judged here, not by the statement, so what others cannot see must not use up the page.
    while len(found) < SHOWN:
        rows = await db.fetch(
            f"select {COLUMNS} {TABLES} where p.state = 'waits' and (p.project is null or p.project = $3) and p.id < $1 order by p.id desc limit $2",
            *(before, AT_A_TIME, project()),
        )
        found += seen_by(actor, rows)
        if len(rows) < AT_A_TIME:
            break
        before = rows[-1]["id"]
    return found[:SHOWN][::-1]


async def decided(db: Connection, actor: Actor) -> list[Pending]:
    """The newest decided ones in the actor's scope."""
    rows = await db.fetch(
        f"""
        select {COLUMNS} {TABLES}
        where p.state <> 'waits' and (p.project is null or p.project = $2)
        order by p.decided_at desc nulls last, p.id desc
        limit $1
        """,
        *(AT_A_TIME, project()),
    )
    return seen_by(actor, rows)[:DECIDED_SHOWN]


def seen_by(actor: Actor, rows: Iterable[Record]) -> list[Pending]:
    """Those that he asked for or may decide."""
    found = [Pending(**row) for row in rows]
    return [act for act in found if act.made_by == actor.staff_id or may_decide(actor, act)]


async def find(db: Connection, actor: Actor, act_id: int, *, lock: bool = False) -> Pending:
    """One act; outside of the scope it is not there."""
    row = await db.fetchrow(
        f"select {COLUMNS} {TABLES} where p.id = $1 and (p.project is null or p.project = $2)"
        + (" for update of p" if lock else ""),
        *(act_id, project()),
    )
    act = Pending(**row) if row else None
    if act is None or not (act.made_by == actor.staff_id or may_decide(actor, act)):
        raise NotThere
    return act


def may_decide(actor: Actor, act: Pending) -> bool:
    """Both persons need the act's own permission where it applies."""
    kind = ACTS.get(act.act)
    return kind is not None and actor.may("act.decide") and act.within(actor.scope(kind.permission))


async def decide(
    db: Connection, actor: Actor, act_id: int, settings: PortalSettings, *, do: bool, reason: str
) -> Pending:
    """The second person's word; called inside a transaction, in which the act is also done."""
    act = await find(db, actor, act_id, lock=True)
    if act.made_by == actor.staff_id:
        raise SamePerson
    if act.state != "waits":
        raise AlreadyDecided
    # To refuse changes nothing, so anybody but the first may.
    if do:
        await require_other_hand(db, actor, act.made_by)
    await _close(db, act_id, actor, "done" if do else "refused")
    if do:
        await ACTS[act.act].perform(db, actor, act, settings)
        await drop_twins(db, act)
    else:
        await audit.record(db, actor, "act.act.refused", kind="act", object_id=act_id, reason=reason)
    return act


async def drop_twins(db: Connection, done: Pending) -> None:
    """The same act, asked for twice, is done once: what still waits of it is withdrawn by the system, on record."""
    rows = await db.fetch(
        """
        update pending_act
        set state = 'withdrawn', decided_at = now()
        where state = 'waits' and act = $1 and payload = $2 and sitting_id is not distinct from $3 and id <> $4
        returning id
        """,
        *(done.act, done.payload, done.sitting_id, done.id),
    )
    for act_id in sorted(row["id"] for row in rows):
        await notices.done_with(db, "act.waits", act_id)
        await audit.record_for(
            db,
            staff_id=None,
            acting_as="-",
            address="-",
            act="act.twin.withdrawn",
            kind="act",
            object_id=act_id,
            after={"done": done.id},
        )


async def require_other_hand(db: Connection, actor: Actor, other: int) -> None:
    """Refuse a second person who may be the first one under another login, or the first one's tool."""
    if other in await same_hand(db, actor, [other]):
        raise SameHand(days=HANDS_APART.days)


async def same_hand(db: Connection, actor: Actor, others: Collection[int]) -> set[int]:
    """Those of `others` whose login this person made or changed lately, or who did so with his; by the trail."""
    rows = await db.fetch(
        """
        select staff_id::text as one, object_id as other
        from audit
        where object_kind = 'staff' and act = any($1) and at > now() - $2::interval
            and ((object_id = $3::text and staff_id = any($4)) or (staff_id = $5 and object_id = any($6)))
        """,
        *(ON_LOGINS, HANDS_APART, str(actor.staff_id), list(others), actor.staff_id, [str(one) for one in others]),
    )
    pairs = {int(row[name]) for row in rows for name in ("one", "other")}
    return pairs - {actor.staff_id}


async def withdraw(db: Connection, actor: Actor, act_id: int) -> None:
    """The first person takes it back."""
    act = await find(db, actor, act_id, lock=True)
    if act.made_by != actor.staff_id:
        raise NotThere
    if act.state != "waits":
        raise AlreadyDecided
    await _close(db, act_id, actor, "withdrawn")
    await audit.record(db, actor, "act.act.withdrawn", kind="act", object_id=act_id)


async def _close(db: Connection, act_id: int, actor: Actor, state: str) -> None:
    await db.execute(
        "update pending_act set state = $2, decided_by = $3, decided_at = now() where id = $1",
        *(act_id, state, actor.staff_id),
    )
    await notices.done_with(db, "act.waits", act_id)
