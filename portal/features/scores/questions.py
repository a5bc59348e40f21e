"""Voiding a question of a finished form, or correcting its key (SAFETY J5, J6).

The portal reads no key: an act carries the question's code and «void», or the new rule as it was typed. The scoring
worker applies it in the next run; what was packed stays, so it can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text
from portal.core.permissions import allows
from portal.core.ui.pages import see_other
from portal.features.scores import queries, rules
from portal.features.scores.problems import NothingDecided
from portal.features.scores.rooms import DECIDE, newest_run, room, whole_sitting
from scoring.rules import Rule

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.sittings import SittingHead
    from portal.features.scores.structs import Item, ItemRuling


@get("/sittings/{sitting_id:int}/scores/questions/{form_id:int}/{code:str}", guards=[allows(DECIDE)])
async def question(request: StaffRequest, db: Connection, sitting_id: int, form_id: int, code: str) -> Response[str]:
    """The question as authored, how it counts now, and what else may be decided."""
    head = await whole_sitting(db, request.scope["user"], sitting_id)
    item = await queries.find_item(db, sitting_id, form_id, code)
    return await _page(request, db, head, item, None)


@post("/sittings/{sitting_id:int}/scores/questions/{form_id:int}/{code:str}", guards=[allows(DECIDE)])
async def ask_ruling(request: StaffRequest, db: Connection, sitting_id: int, form_id: int, code: str) -> Response[str]:
    """Put it before a second person."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with db.transaction():
        head = await whole_sitting(db, actor, sitting_id, lock=True)
        await newest_run(db, head)
        item = await queries.find_item(db, sitting_id, form_id, code)
        ruling, reason = form.choice("ruling", rules.RULINGS), form.text("reason")
        rule = rules.read_rule(form, item.kind, item.content) if ruling == "key" else None
        if form.errors:
            return await _page(request, db, head, item, form)
        held = await _held(db, head, item)
        wish = {"ruling": ruling, "rule": msgspec.to_builtins(rule)}
        if wish == {"ruling": held.ruling if held else "as-packed", "rule": held.rule if held else None}:
            raise NothingDecided
        await acts.ask(
            db,
            actor,
            RULE.code,
            sitting_id=sitting_id,
            payload={"form_id": form_id, "code": code, **wish, "regions": head.regions},
            before=_lines(item, held.ruling if held else "as-packed", _rule_of(held)),
            after=_lines(item, ruling, rule),
            reason=reason,
        )
    return see_other("/acts?asked=1")


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    assert act.sitting_id is not None
    head = await whole_sitting(db, actor, act.sitting_id, lock=True)
    await queries.set_item_ruling(db, head.id, act.payload, act.reason, act.made_by, actor.staff_id)
    fact: dict[str, object] = {name: act.payload[name] for name in ("form_id", "code", "ruling", "rule")}
    fact["asked_by"] = act.made_by
    await audit.record(
        db, actor, "score.question.ruled", kind="sitting", object_id=head.id, after=fact, reason=act.reason
    )


RULE = acts.register(acts.Act("score.question", N_("Void a question or correct its key"), DECIDE, _perform))


def _lines(item: Item, ruling: str, rule: Rule | None) -> dict[str, object]:
    shown: dict[str, object] = {N_("Question"): item.code, N_("It counts"): Text(rules.RULINGS[ruling])}
    return shown | ({N_("Right answer"): rules.said_rule(rule)} if rule else {})


def _rule_of(held: ItemRuling | None) -> Rule | None:
    return None if held is None or held.rule is None else msgspec.convert(held.rule, Rule)


async def _held(db: Connection, head: SittingHead, item: Item) -> ItemRuling | None:
    rows = await queries.item_rulings(db, head.id)
    return next((row for row in rows if (row.form_id, row.code) == (item.form_id, item.code)), None)


async def _page(
    request: StaffRequest, db: Connection, head: SittingHead, item: Item, form: Form | None
) -> Response[str]:
    held = await _held(db, head, item)
    rule = _rule_of(held)
    return room(
        request,
        head,
        None,
        "scores/question.html",
        status=422 if form and form.errors else 200,
        newest=await newest_run(db, head),
        item=item,
        held=held,
        rule=rules.said_rule(rule) if rule else "",
        rulings=rules.RULINGS,
        values=form.values if form else {"ruling": held.ruling if held else "void"},
        errors=form.errors if form else {},
    )


ROUTES = [question, ask_ruling]
