"""Deciding as the second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts
from portal.core.accounts import StaffRequest, keys
from portal.core.acts.pending import decided, may_decide
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows
from portal.core.ui.pages import page, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.i18n import Text


@get("/acts", guards=[allows("own.account")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """What waits for me, what I asked for, what was decided."""
    return await _page(request, db, {})


async def _page(request: StaffRequest, db: Connection, errors: Mapping[str, Text]) -> Response[str]:
    actor = request.scope["user"]
    waiting = await acts.waiting(db, actor)
    others = [act for act in waiting if act.made_by != actor.staff_id and may_decide(actor, act)]
    return page(
        request,
        "acts/list.html",
        status=422 if errors else 200,
        errors=errors,
        mine=[act for act in waiting if act.made_by == actor.staff_id],
        others=others,
        same_hand=await acts.same_hand(db, actor, {act.made_by for act in others}),
        decided=await decided(db, actor),
        with_key={code for code, act in acts.ACTS.items() if act.with_key},
        names={code: act.text for code, act in acts.ACTS.items()},
        asked="asked" in request.query_params,
    )


@post("/acts/{act_id:int}/decide", guards=[allows("act.decide")])
async def decide(request: StaffRequest, db: Connection, act_id: int) -> Response[str]:
    """Do it or refuse it, in one transaction with its record."""
    form = Form(await request.form())
    do, reason = form.choice("do", ["do", "refuse"]) == "do", form.text("reason", required=False)
    if form.errors:
        return await _page(request, db, form.errors)
    async with db.transaction():
        settings = request.app.state.settings
        act = await acts.find(db, request.scope["user"], act_id)
        if do and acts.ACTS[act.act].with_key:
            await keys.confirm(db, request.scope["user"], settings, form.values.get("credential", ""))
        await acts.decide(db, request.scope["user"], act_id, settings, do=do, reason=reason)
    return see_other("/acts")


@post("/acts/{act_id:int}/withdraw", guards=[allows("own.account")])
async def withdraw(request: StaffRequest, db: Connection, act_id: int) -> Response[str]:
    """Take back what I asked for."""
    async with db.transaction():
        await acts.withdraw(db, request.scope["user"], act_id)
    return see_other("/acts")


ROUTES = [show_list, decide, withdraw]
