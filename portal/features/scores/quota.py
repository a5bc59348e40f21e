"""Quota places: how many a region has, set by two persons; and the list that a run made of them (SAFETY D2, J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import LANGUAGES, N_, Text, current, number
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import find_head
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import see_other
from portal.features.scores import queries, rules, tables
from portal.features.scores.rooms import DECIDE, room, whole_sitting
from scoring.words import SAY

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.i18n import Language
    from portal.core.sittings import SittingHead
    from portal.core.territory import Region
    from portal.features.scores.structs import QuotaPlan, RunRow


@get("/sittings/{sitting_id:int}/scores/quota", guards=[allows(DECIDE)])
async def quota_form(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Places a region, and the rule at the line."""
    head = await whole_sitting(db, request.scope["user"], sitting_id)
    return await _form_page(request, db, head, None)


@post("/sittings/{sitting_id:int}/scores/quota", guards=[allows(DECIDE)])
async def ask_quota(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Put other places before a second person."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with db.transaction():
        head = await whole_sitting(db, actor, sitting_id, lock=True)
        places, ties = rules.read_places(form, head.regions), form.choice("tie_at_line", rules.TIES)
        reason, home = form.text("reason"), head.place == "home"
        if home and places and not form.ticked("from_home"):
            form.miss("from_home", N_("Confirm that the list would come from a sitting at home, or give no places."))
        if form.errors:
            return await _form_page(request, db, head, form)
        before = await queries.quota_plan(db, sitting_id)
        plan = {"places": places, "tie_at_line": ties, "from_home": home and bool(places)}
        await _ask(db, actor, head, before, plan, reason)
    return see_other("/acts?asked=1")


async def _ask(
    db: Connection, actor: Actor, head: SittingHead, before: QuotaPlan | None, plan: dict[str, object], reason: str
) -> None:
    regions = [region for region in await territory.regions(db) if region.code in head.regions]
    after = rules_lines(regions, plan["places"], str(plan["tie_at_line"]))
    if plan["from_home"]:
        after[N_("Where the answers come from")] = Text(FROM_HOME)
    await acts.ask(
        db,
        actor,
        SET.code,
        sitting_id=head.id,
        payload={**plan, "regions": head.regions},
        before=rules_lines(regions, before.places if before else {}, before.tie_at_line if before else "all"),
        after=after,
        reason=reason,
    )


FROM_HOME = N_(
    "From home, where nobody can prove who thought. Who agrees here agrees to a list without a supervised confirmation."
)


def rules_lines(regions: list[Region], places: object, ties: str) -> dict[str, object]:
    """What the second person sees: the sum, each region's places in three languages, the rule at the line."""
    given = {code: count for code, count in places.items() if count} if isinstance(places, dict) else {}
    named = [
        {language: f"{region.name[language]}: {given[region.code]}" for language in LANGUAGES}
        for region in regions
        if region.code in given
    ]
    return {
        N_("Places in all"): number(sum(given.values())),
        N_("By region"): named or "—",
        N_("Equal points at the quota line"): Text(rules.TIES[ties]),
    }


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    assert act.sitting_id is not None
    head = await whole_sitting(db, actor, act.sitting_id, lock=True)
    plan = {name: act.payload[name] for name in ("places", "tie_at_line", "from_home")}
    if plan["places"] and head.place == "home" and not plan["from_home"]:
        # The sitting was moved home after the first person asked: nobody has agreed to that.
        raise NotThere
    await queries.set_quota_plan(db, head.id, plan, act.reason, act.made_by, actor.staff_id)
    fact: dict[str, object] = {**plan, "asked_by": act.made_by}
    await audit.record(db, actor, "score.quota.set", kind="sitting", object_id=head.id, after=fact, reason=act.reason)


SET = acts.register(acts.Act("score.quota", N_("Set quota places"), DECIDE, _perform))


@get("/sittings/{sitting_id:int}/scores/{version:int}/quota", guards=[allows("score.view")])
async def quota_list(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[str]:
    """Who has a quota place in this run, with its rule; names only on demand, on record."""
    actor = request.scope["user"]
    scope = actor.scope("score.view")
    head = await find_head(db, sitting_id, scope)
    run = await queries.find_run(db, sitting_id, version)
    if not run.summary["quota_places"]:
        raise NotThere
    regions = [region for region in await territory.regions(db, scope) if region.code in head.regions]
    region = picked(request, "region", [item.code for item in regions])
    view = listing(request, ["rank"], "rank", rows=50)
    chosen = tables.within(await tables.table(request.app.state.settings, run, "quota"), scope)
    counts = tables.quota_counts(chosen, run.parameters["quota"])
    chosen = chosen.filter(chosen["region_code"] == region) if region else chosen
    rows = chosen.slice(view.offset, view.rows).to_dicts()
    named = "names" in request.query_params
    if named:
        async with db.transaction():
            fact: dict[str, object] = {"version": version, "rows": len(rows), "region": region, "list": "quota"}
            await audit.record(db, actor, "score.sheet.opened", kind="sitting", object_id=sitting_id, after=fact)
    return room(
        request,
        head,
        run,
        "scores/quota_list.html",
        rows=rows,
        people=await queries.persons(db, sitting_id, [row["attempt_id"] for row in rows], scope),
        named=named,
        regions=regions,
        quota_lines=quota_rules(run, current()),
        names={item.code: item.name for item in regions},
        counts=counts,
        region=region,
        view=view,
        total=chosen.height,
    )


def quota_rules(run: RunRow, language: Language) -> list[str]:
    """The sentences that stand with every list: the rule of places, the rule at the line, who agreed to one from home."""
    if not run.summary["quota_places"]:
        return []
    told = run.parameters
    ties = SAY.ties_in if told.get("tie_at_line", "all") == "all" else SAY.ties_out
    lines = [SAY.tie_rule.of(language), ties.of(language)]
    if run.summary["quota_from_home"]:
        lines.append(SAY.from_home.of(language, agreed=", ".join(sorted(set(told["home_quota_agreed"])))))
    return lines


async def _form_page(request: StaffRequest, db: Connection, head: SittingHead, form: Form | None) -> Response[str]:
    regions = [region for region in await territory.regions(db) if region.code in head.regions]
    plan = await queries.quota_plan(db, head.id)
    kept: dict[str, object] = {f"places_{code}": places for code, places in plan.places.items()} if plan else {}
    return room(
        request,
        head,
        None,
        "scores/quota_form.html",
        status=422 if form and form.errors else 200,
        regions=regions,
        plan=plan,
        ties=rules.TIES,
        values=form.values if form else {**kept, "tie_at_line": plan.tie_at_line if plan else "all"},
        errors=form.errors if form else {},
    )


ROUTES = [quota_form, ask_quota, quota_list]
