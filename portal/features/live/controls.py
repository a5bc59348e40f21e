"""Telling players something: one row in `control`, or an act that waits for a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, controls, given_back
from portal.core.accounts import StaffRequest
from portal.core.controls import rules
from portal.core.controls.problems import NothingToReopen, NotRunning
from portal.core.controls.queries import reserve, standing
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text, t
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.permissions.catalogue import BY_CODE
from portal.core.problems import NotAllowed
from portal.core.sittings import find_head, tabs
from portal.core.ui.pages import page, see_other
from portal.features.live import queries
from portal.features.live.wishes import read_wish

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.core.controls.structs import Target


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
        target = await controls.target_of(
            db, actor, kind, sitting_id, form.values.get("scope", ""), form.values.get("id", "")
        )
        items = await queries.items(db, head.form_id) if kind == "erratum" else {}
        wish = read_wish(form, kind, items, head.now())
        reason = form.text("reason", required=False)
        if wish is not None and not form.errors:
            if kind == "reopen" and not target.ended:
                raise NothingToReopen
            made = await controls.order_of(db, head, target, wish)
            if not made.two_persons:
                await controls.write(db, actor, sitting_id, target, made, reason)
                return see_other(_back(sitting_id, target))
            if not reason:
                form.miss("reason", N_("Two persons act here: say why, for the one who has to agree."))
            else:
                act_id = await controls.ask(db, actor, sitting_id, target, made, reason)
                if await acts.do_waived(db, actor, act_id, request.app.state.settings):
                    return see_other(_back(sitting_id, target))
                waiting = await acts.find(db, actor, act_id)
                return page(request, "live/waits.html", status=202, act=waiting, sitting=head, tabs=[])
    return await _form(request, db, sitting_id, form, kind)


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
    target = await controls.target_of(db, actor, kind or next(iter(kinds)), sitting_id, scope, scope_id)
    stands = await standing(db, sitting_id, target)
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
        standing=stands,
        given=await given_back.given_to(db, int(target.scope_id)) if target.scope == "attempt" else [],
        restart_at=from_ms(stands.restart_ms) if stands.restart_ms else None,
        kinds=kinds,
        kind=kind,
        errors=form.errors,
        values=form.values,
        items=sorted(await queries.items(db, head.form_id)) if kind == "erratum" else [],
        wide=target.scope in {"sitting", "region"} or kind == "restart",
        reserve=await reserve(db, sitting_id) if kind == "restart" else None,
    )


ROUTES = [choose, send]
