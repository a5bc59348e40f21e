"""Telling players something: one row in `control`, or an act that waits for a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit, given_back
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text, t
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.permissions.catalogue import BY_CODE
from portal.core.problems import NotAllowed, NotThere, OwnSchool
from portal.core.sittings import find_head, tabs, to_ms
from portal.core.ui.pages import page, see_other
from portal.features.live import queries, rules
from portal.features.live.problems import NothingToReopen, NotRunning
from portal.features.live.structs import Wish

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.sittings import SittingHead
    from portal.features.live.structs import Order, Target


@get("/sittings/{sitting_id:int}/controls/new", guards=[allows("live.view")])
async def choose(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """For whom and what; then its form."""
    return await _form(request, db, sitting_id, Form(await request.form()), request.query_params.get("kind", ""))


@post("/sittings/{sitting_id:int}/controls", guards=[allows("live.view")])
async def send(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Done at once (303), or put before a second person (202)."""
    actor = request.scope["user"]
    form = Form(await request.form())
    kind = form.choice("kind", rules.KINDS)
    _require(actor, kind)
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope(rules.PERMISSIONS[kind]), lock=True)
        if head.state != "published":
            raise NotRunning
        target = await _target(db, actor, kind, sitting_id, form.values.get("scope", ""), form.values.get("id", ""))
        items = await queries.items(db, head.form_id) if kind == "erratum" else {}
        wish = rules.read_wish(form, kind, items, head.now())
        reason = form.text("reason", required=False)
        if wish is not None and not form.errors:
            if kind == "reopen" and not target.ended:
                raise NothingToReopen
            made = await _order(db, head, target, wish)
            if not made.two_persons:
                await _write(db, actor, sitting_id, target, made, reason)
                return see_other(_back(sitting_id, target))
            if not reason:
                form.miss("reason", N_("Two persons act here: say why, for the one who has to agree."))
            else:
                act_id = await _ask(db, actor, sitting_id, target, made, reason)
                if await acts.do_waived(db, actor, act_id, request.app.state.settings):
                    return see_other(_back(sitting_id, target))
                waiting = await acts.find(db, actor, act_id)
                return page(request, "live/waits.html", status=202, act=waiting, sitting=head, tabs=[])
    return await _form(request, db, sitting_id, form, kind)


async def _order(db: Connection, head: SittingHead, target: Target, wish: Wish) -> Order:
    standing = await queries.standing(db, head.id, target)
    if wish.kind == "restart":
        return rules.restart(standing, wish, await queries.reserve(db, head.id))
    return rules.order(target, standing, wish, to_ms(head.now()))


async def _write(db: Connection, actor: Actor, sitting_id: int, target: Target, made: Order, reason: str) -> int:
    """The control and its record; the sitting's row is locked."""
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


async def _ask(db: Connection, actor: Actor, sitting_id: int, target: Target, made: Order, reason: str) -> int:
    # What the second person agrees to is the wish (minutes, text); values that hang on the moment are made then.
    payload = {
        "scope": target.scope,
        "scope_id": target.scope_id,
        "kind": made.kind,
        "body": made.body,
        "regions": target.regions,
        "schools": target.schools,
    }
    whom = {
        N_("For whom"): target.name if target.name["kk"] else Text(rules.SCOPES["sitting"]),
        N_("Pupils"): str(target.pupils),
    }
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
    target = await _target(db, actor, kind, act.sitting_id, act.payload["scope"], act.payload["scope_id"])
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


async def _target(db: Connection, actor: Actor, kind: str, sitting_id: int, scope: str, scope_id: str) -> Target:
    if scope not in rules.SCOPES or len(scope_id) > 20 or (scope == "attempt" and kind in rules.FOR_MANY):
        raise NotThere
    target = await queries.find_target(db, sitting_id, scope, scope_id, actor.scope(rules.PERMISSIONS[kind]))
    if actor.own_school_id in target.schools:
        raise OwnSchool
    return target


def _require(actor: Actor, kind: str) -> None:
    permission = rules.PERMISSIONS[kind]
    if not actor.may(permission):
        raise NotAllowed(permission=Text(BY_CODE[permission].text))


def _back(sitting_id: int, target: Target) -> str:
    if target.scope == "attempt":
        return f"/sittings/{sitting_id}/participants/{target.scope_id}"
    return f"/sittings/{sitting_id}/live"


async def _form(request: StaffRequest, db: Connection, sitting_id: int, form: Form, kind: str) -> Response[str]:
    actor = request.scope["user"]
    head = await find_head(db, sitting_id, actor.scope("live.view"))
    scope = form.values.get("scope") or request.query_params.get("scope", "sitting")
    scope_id = form.values.get("id") or request.query_params.get("id", str(sitting_id))
    kinds = {
        code: text
        for code, text in rules.KINDS.items()
        if actor.may(rules.PERMISSIONS[code]) and not (scope == "attempt" and code in rules.FOR_MANY)
    }
    if not kinds:
        raise NotAllowed(permission=Text(BY_CODE["control.message"].text))
    kind = kind if kind in kinds else ""
    target = await _target(db, actor, kind or next(iter(kinds)), sitting_id, scope, scope_id)
    standing = await queries.standing(db, sitting_id, target)
    if kind == "restart":
        form.values.setdefault("starts_at", rules.next_start(head.now()).strftime("%Y-%m-%dT%H:%M"))
    return page(
        request,
        "live/control.html",
        status=422 if form.errors else 200,
        sitting=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        target=target,
        scopes=rules.SCOPES,
        standing=standing,
        given=await given_back.given_to(db, int(target.scope_id)) if target.scope == "attempt" else [],
        restart_at=from_ms(standing.restart_ms) if standing.restart_ms else None,
        kinds=kinds,
        kind=kind,
        errors=form.errors,
        values=form.values,
        items=sorted(await queries.items(db, head.form_id)) if kind == "erratum" else [],
        wide=target.scope in {"sitting", "region"} or kind == "restart",
        reserve=await queries.reserve(db, sitting_id) if kind == "restart" else None,
    )


ROUTES = [choose, send]
