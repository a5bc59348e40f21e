"""Rules of the talents: made by one, put in force by a second person, switched off by any; and the button that weighs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import acts, audit, jobs
from portal.core.accounts import StaffRequest
from portal.core.acts.pending import SamePerson
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text
from portal.core.permissions import allows, require_country
from portal.core.problems import told
from portal.core.projects import project, projects
from portal.core.scope import acting
from portal.core.ui.pages import page, see_other
from portal.features.talents import queries, rules, weighing
from portal.features.talents.problems import Switched
from portal.features.talents.structs import KINDS, PER, STATES, SittingChoice

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.features.talents.structs import NewRule

WAITING = "select payload ->> 'rule' as rule from pending_act where act = 'talent.rule' and state = 'waits'"


@get("/talents/rules", guards=[allows("talent.rule")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """All rules, who made and who agreed, how many are in by each; the last weighing."""
    newest = next(iter(await jobs.recent(db, kind=weighing.KIND)), None)
    async with acting(db, request.scope["user"], "talent.rule"):
        known = await queries.rules(db)
    return page(
        request,
        "talents/rules.html",
        rules=known,
        said=said,
        states=STATES,
        job=newest,
        sentence=told(newest.result) if newest else "",
        asked={int(row["rule"]) for row in await db.fetch(WAITING)},
        country=request.scope["user"].scope("talent.rule").country,
    )


@get("/talents/rules/new", guards=[allows("talent.rule")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The empty form."""
    return await _form(request, db, None)


@post("/talents/rules/new", guards=[allows("talent.rule")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """Make a rule and put it before a second person."""
    actor = request.scope["user"]
    form = Form(await request.form())
    known = {one.code for one in await projects(db)}
    async with db.transaction():
        rule = rules.read_form(form, sorted(known), await _projects(db))
        reason = form.text("reason", most=200)
        if form.errors:
            return await _form(request, db, form)
        rule_id = await queries.add_rule(db, rule, actor.staff_id)
        fact = msgspec.to_builtins(rule)
        await audit.record(db, actor, "talent.rule.made", kind="talent_rule", object_id=rule_id, after=fact)
        await _ask(db, actor, rule_id, rule, reason)
    return see_other("/acts?asked=1")


@post("/talents/rules/{rule_id:int}/on", guards=[allows("talent.rule")])
async def turn_on(request: StaffRequest, db: Connection, rule_id: int) -> Response[str]:
    """Ask a second person to put it in force (again)."""
    actor = request.scope["user"]
    async with db.transaction():
        rule = await queries.find_rule(db, rule_id, lock=True)
        waits = {int(row["rule"]) for row in await db.fetch(WAITING)}
        if rule.state == "on" or rule_id in waits:
            raise Switched
        await _ask(db, actor, rule_id, rule, "")
    return see_other("/acts?asked=1")


@post("/talents/rules/{rule_id:int}/off", guards=[allows("talent.rule")])
async def turn_off(request: StaffRequest, db: Connection, rule_id: int) -> Response[str]:
    """Switch it off: who is in by it leaves at once. One person may, for nobody new is seen by it."""
    actor = request.scope["user"]
    async with acting(db, actor, "talent.rule"):
        require_country(actor, "talent.rule")
        rule = await queries.find_rule(db, rule_id, lock=True)
        if not await queries.switch_off(db, rule_id):
            raise Switched
        fact: dict[str, object] = {"inside": rule.inside}
        await audit.record(db, actor, "talent.rule.off", kind="talent_rule", object_id=rule_id, after=fact)
    return see_other("/talents/rules")


@post("/talents/weigh", guards=[allows("talent.rule")])
async def weigh(request: StaffRequest, db: Connection) -> Response[str]:
    """Weigh the rules now."""
    actor = request.scope["user"]
    require_country(actor, "talent.rule")
    async with db.transaction():
        job_id = await weighing.ask(db, actor.staff_id)
    if job_id is not None:
        await request.app.state.queues.send(job_id, weighing.KIND)
    return see_other("/talents/rules")


def said(rule: NewRule) -> Text:
    """A rule as a sentence."""
    if rule.kind == "often":
        return Text(
            N_("at least the {percentile}th percentile, in at least {times} published runs"),
            percentile=_plain(rule.percentile),
            times=rule.times,
        )
    if rule.per == "region":
        return Text(N_("the best {share} % of each region in a published run"), share=_plain(rule.share))
    return Text(N_("the best {share} % of the country in a published run"), share=_plain(rule.share))


def _plain(figure: object) -> str:
    text = str(figure)
    return text.rstrip("0").rstrip(".") if "." in text else text


async def _ask(db: Connection, actor: Actor, rule_id: int, rule: NewRule, reason: str) -> None:
    sitting = await db.fetchval("select title from sitting where id = $1", rule.sitting_id)
    await acts.ask(
        db,
        actor,
        ON.code,
        sitting_id=None,
        payload={"rule": rule_id},
        before={},
        after={
            N_("Rule"): rule.title,
            N_("Who comes in"): said(rule),
            N_("Project"): next(one.name for one in await projects(db) if one.code == rule.project),
            N_("Sitting"): sitting or Text(N_("each sitting of the project")),
        },
        reason=reason,
    )


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    rule_id = act.payload["rule"]
    rule = await queries.find_rule(db, rule_id, lock=True)
    # The maker is never the second person to his own rule, whoever asked for it again.
    if rule.made_by == actor.staff_id:
        raise SamePerson
    await acts.require_other_hand(db, actor, rule.made_by)
    if not await queries.switch_on(db, rule_id, actor.staff_id):
        raise Switched
    fact: dict[str, object] = {"asked_by": act.made_by}
    await audit.record(
        db, actor, "talent.rule.on", kind="talent_rule", object_id=rule_id, after=fact, reason=act.reason
    )


ON = acts.register(
    acts.Act("talent.rule", N_("Put a rule of the talents in force"), "talent.rule", _perform, of_house=True)
)


async def _projects(db: Connection) -> dict[int, str]:
    """Of every sitting, also of those that the list to choose from is too short for."""
    return {
        row["id"]: row["project"] for row in await db.fetch("select id, project from sitting where state <> 'draft'")
    }


async def _sittings(db: Connection) -> list[SittingChoice]:
    rows = await db.fetch(
        """
        select s.id, s.title, s.project
        from sitting s
        where s.state <> 'draft' and s.project = $1
        order by s.starts_at desc, s.id desc
        limit 100
        """,
        project(),
    )
    return [SittingChoice(**row) for row in rows]


async def _form(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    return page(
        request,
        "talents/rule_form.html",
        status=422 if form else 200,
        projects=await projects(db),
        sittings=await _sittings(db),
        here=project(),
        kinds=KINDS,
        per=PER,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show, new, make, turn_on, turn_off, weigh]
