"""A control from the wish to its row: ordered, written with its record, or put before a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import acts, audit
from portal.core.controls import queries, rules
from portal.core.controls.problems import NotRunning
from portal.core.controls.structs import Wish
from portal.core.i18n import N_, Text
from portal.core.i18n.times import from_ms
from portal.core.problems import NotThere, OwnSchool
from portal.core.sittings import find_head, to_ms

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor, Scope
    from portal.core.controls.structs import Order, Target
    from portal.core.db import Connection
    from portal.core.sittings import SittingHead


async def target_of(
    db: Connection,
    actor: Actor,
    kind: str,
    sitting_id: int,
    scope: str,
    scope_id: str,
    *,
    within: Scope | None = None,
) -> Target:
    """For whom; 404 unless all of it lies in the actor's territory for this kind (or in `within`)."""
    if scope not in rules.SCOPES or len(scope_id) > 20 or (scope == "attempt" and kind in rules.FOR_MANY):
        raise NotThere
    territory = within or actor.scope(rules.PERMISSIONS[kind])
    target = await queries.find_target(db, sitting_id, scope, scope_id, territory)
    if actor.own_school_id in target.schools:
        raise OwnSchool
    return target


async def order_of(db: Connection, head: SittingHead, target: Target, wish: Wish) -> Order:
    """The control that a wish comes to now; the sitting's row is locked."""
    standing = await queries.standing(db, head.id, target)
    if wish.kind == "restart":
        return rules.restart(standing, wish, await queries.reserve(db, head.id))
    return rules.order(target, standing, wish, to_ms(head.now()))


async def write(db: Connection, actor: Actor, sitting_id: int, target: Target, made: Order, reason: str) -> int:
    """The control and its record; the sitting's row is locked. Returns its version."""
    version = await queries.insert_control(
        db, sitting_id, target.scope, target.scope_id, made.kind, made.body, actor.staff_id
    )
    if made.kind == "reopen":
        await queries.reopen_attempts(db, sitting_id, target.scope, target.scope_id)
    fact: dict[str, object] = {
        "scope": target.scope,
        "scope_id": target.scope_id,
        "version": version,
        "body": made.body,
    }
    await audit.record(
        db, actor, rules.ACTS[made.kind], kind="sitting", object_id=sitting_id, after=fact, reason=reason
    )
    return version


async def ask(
    db: Connection, actor: Actor, sitting_id: int, target: Target, made: Order, reason: str, *, named: str = ""
) -> int:
    """Put it before a second person. `named`: how the target is called there, if not by its name."""
    # What the second person agrees to is the wish (minutes, text); values that hang on the moment are made then.
    payload = {
        "scope": target.scope,
        "scope_id": target.scope_id,
        "kind": made.kind,
        "body": made.body,
        "regions": target.regions,
        "schools": target.schools,
    }
    name = target.name if target.name["kk"] else Text(rules.SCOPES["sitting"])
    whom = {N_("For whom"): named or name, N_("Pupils"): str(target.pupils)}
    return await acts.ask(
        db,
        actor,
        CODES[made.kind],
        sitting_id=sitting_id,
        payload=payload,
        before={**whom, **made.before},
        after={**whom, **made.after},
        reason=reason,
    )


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    """The second person agreed. Pauses, ends and reopenings count from this moment, extra time is as was shown."""
    assert act.sitting_id is not None
    kind = act.payload["kind"]
    scope = actor.scope(rules.PERMISSIONS[kind])
    head = await find_head(db, act.sitting_id, scope, lock=True)
    if head.state != "published":
        raise NotRunning
    target = await target_of(db, actor, kind, act.sitting_id, act.payload["scope"], act.payload["scope_id"])
    body = dict(act.payload["body"])
    now_ms = to_ms(head.now())
    if kind == "restart":
        rules.require_ahead(body, head.now())
        again = Wish(kind=kind, starts_at=from_ms(body["starts_ms"]))
        rules.restart(await queries.standing(db, head.id, target), again, await queries.reserve(db, head.id))
    for field in ("at_ms", "since_ms"):
        if field in body:
            body[field] = now_ms
    version = await queries.insert_control(
        db, act.sitting_id, target.scope, target.scope_id, kind, body, actor.staff_id
    )
    if kind == "reopen":
        await queries.reopen_attempts(db, act.sitting_id, target.scope, target.scope_id)
    fact: dict[str, object] = {
        "scope": target.scope,
        "scope_id": target.scope_id,
        "version": version,
        "body": body,
        "asked_by": act.made_by,
    }
    await audit.record(
        db, actor, rules.ACTS[kind], kind="sitting", object_id=act.sitting_id, after=fact, reason=act.reason
    )


CODES = {
    kind: acts.register(
        acts.Act(f"control.{kind}", text, rules.PERMISSIONS[kind], _perform, waivable=kind != "restart")
    ).code
    for kind, text in rules.KINDS.items()
}
