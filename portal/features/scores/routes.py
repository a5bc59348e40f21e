"""What an analyst does with a sitting that is over. Nothing here exists before its end: no run, no figure (SAFETY J6)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from litestar import Response, get, post

from portal.core import acts, audit, jobs, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, current, number, when
from portal.core.machines import hooks
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import find_head, require_whole
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.scores import pictures, queries, rules, tables
from portal.features.scores.problems import AlreadyPublished
from portal.features.scores.quota import quota_rules
from portal.features.scores.rooms import room

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.sittings import SittingHead
    from portal.features.scores.structs import RunRow

LATE = {
    "": N_("as the sitting says"),
    "count": N_("count"),
    "person": N_("wait for a person"),
    "refuse": N_("do not count"),
}
KINDS = {
    "single": N_("one answer"),
    "multiple": N_("several answers"),
    "picture": N_("picture choice"),
    "dropdown": N_("drop-down"),
    "numeric": N_("number"),
    "short_text": N_("short text"),
}
# Topics are the author's words; those of Myń Bala are known in three languages.
TOPICS = {
    "logic": N_("Logic"),
    "spatial": N_("Spatial reasoning"),
    "literacy": N_("Functional literacy"),
    "reading": N_("Reading"),
}
ITEM_SORTS = ("position", "-position", "facility", "-facility", "discrimination", "-discrimination", "time_ms_median")


@get("/scores", guards=[allows("score.view")])
async def overview(request: StaffRequest, db: Connection) -> Response[str]:
    """Sittings with results."""
    rows = await queries.sittings_with_runs(db, request.scope["user"].scope("score.view"))
    return page(request, "scores/overview.html", rows=rows)


@get("/sittings/{sitting_id:int}/scores", guards=[allows("score.view")])
async def newest(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The runs of a sitting; the newest one's figures."""
    head = await find_head(db, sitting_id, request.scope["user"].scope("score.view"))
    return await _run_page(request, db, head, None)


@get("/sittings/{sitting_id:int}/scores/{version:int}", guards=[allows("score.view")])
async def one_run(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[str]:
    """One run's figures."""
    head = await find_head(db, sitting_id, request.scope["user"].scope("score.view"))
    run = await queries.find_run(db, sitting_id, version)
    return await _run_page(request, db, head, run)


@post("/sittings/{sitting_id:int}/scores/run", guards=[allows("score.run")])
async def ask_run(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """A new run, done by the process that may read the keys; before the end it refuses."""
    actor = request.scope["user"]
    head = await find_head(db, sitting_id, actor.scope("score.run"))
    require_whole(head, actor.scope("score.run"))
    form = Form(await request.form())
    late = form.choice("late_policy", LATE, "")
    parameters: dict[str, object] = {"late_policy": late} if late else {}
    async with db.transaction():
        payload: dict[str, object] = {"parameters": parameters}
        job_id = await jobs.ask(db, "score", sitting_id=sitting_id, made_by=actor.staff_id, payload=payload)
        await audit.record(db, actor, "score.run.asked", kind="sitting", object_id=sitting_id, after=parameters)
    await request.app.state.queues.send(job_id, "score")
    return see_other(f"/sittings/{sitting_id}/scores")


@get("/sittings/{sitting_id:int}/scores/{version:int}/items", guards=[allows("score.view")])
async def items(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[str]:
    """The item table: difficulty, discrimination, what was answered, how long it took."""
    head = await find_head(db, sitting_id, request.scope["user"].scope("score.view"))
    run = await queries.find_run(db, sitting_id, version)
    settings = request.app.state.settings
    view = listing(request, ITEM_SORTS, "position")
    table = await tables.table(settings, run, "item_table")
    column = view.sort.lstrip("-")
    if column in table.columns:
        table = table.sort(column, "item", descending=[view.sort.startswith("-"), False], nulls_last=True)
    counts = await tables.table(settings, run, "response_counts")
    by_item: dict[int, list[dict[str, object]]] = {}
    for line in counts.to_dicts():
        by_item.setdefault(line["item"], []).append(line)
    return room(
        request,
        head,
        run,
        "scores/items.html",
        rows=table.to_dicts(),
        responses=by_item,
        view=view,
        kinds=KINDS,
        topics=TOPICS,
    )


@get("/sittings/{sitting_id:int}/scores/{version:int}/ranking", guards=[allows("score.view")])
async def ranking(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[str]:
    """Places in the country and in the region, ties marked; names only on demand, on record."""
    actor = request.scope["user"]
    scope = actor.scope("score.view")
    head = await find_head(db, sitting_id, scope)
    run = await queries.find_run(db, sitting_id, version)
    regions = await territory.regions(db, scope)
    region = picked(request, "region", [item.code for item in regions])
    view = listing(request, ["rank"], "rank", rows=50)
    scores = tables.within(await tables.table(request.app.state.settings, run, "scores"), scope)
    if region:
        scores = scores.filter(pl.col("region_code") == region)
    rows = scores.slice(view.offset, view.rows).to_dicts()
    named = "names" in request.query_params
    people = await queries.persons(db, sitting_id, [row["attempt_id"] for row in rows], scope)
    if named:
        async with db.transaction():
            fact: dict[str, object] = {"version": version, "rows": len(rows), "region": region}
            await audit.record(db, actor, "score.sheet.opened", kind="sitting", object_id=sitting_id, after=fact)
    return room(
        request,
        head,
        run,
        "scores/ranking.html",
        rows=rows,
        people=people,
        named=named,
        regions=[item for item in regions if item.code in head.regions],
        region=region,
        view=view,
        total=scores.height,
    )


@get("/sittings/{sitting_id:int}/scores/{version:int}/pupils/{attempt_id:int}", guards=[allows("score.view")])
async def sheet(request: StaffRequest, db: Connection, sitting_id: int, version: int, attempt_id: int) -> Response[str]:
    """A pupil's sheet: points, places, each answer and its time."""
    actor = request.scope["user"]
    scope = actor.scope("score.view")
    head = await find_head(db, sitting_id, scope)
    run = await queries.find_run(db, sitting_id, version)
    people = await queries.persons(db, sitting_id, [attempt_id], scope)
    settings = request.app.state.settings
    mine = (await tables.table(settings, run, "scores")).filter(pl.col("attempt_id") == attempt_id).to_dicts()
    if not people or not mine:
        raise NotThere
    answers = (await tables.table(settings, run, "responses")).filter(pl.col("attempt_id") == attempt_id)
    async with db.transaction():
        fact: dict[str, object] = {"version": version}
        await audit.record(db, actor, "score.sheet.opened", kind="participant", object_id=attempt_id, after=fact)
    return room(
        request, head, run, "scores/sheet.html", person=people[attempt_id], score=mine[0], answers=answers.to_dicts()
    )


@get("/sittings/{sitting_id:int}/scores/{version:int}/differences/{other:int}", guards=[allows("score.view")])
async def differences(
    request: StaffRequest, db: Connection, sitting_id: int, version: int, other: int
) -> Response[str]:
    """What changed from run `other` to this one."""
    scope = request.scope["user"].scope("score.view")
    head = await find_head(db, sitting_id, scope)
    run, old = await queries.find_run(db, sitting_id, version), await queries.find_run(db, sitting_id, other)
    settings = request.app.state.settings
    before = tables.within(await tables.table(settings, old, "scores"), scope)
    after = tables.within(await tables.table(settings, run, "scores"), scope)
    found = await asyncio.to_thread(tables.differences, before, after, old, run)
    return room(request, head, run, "scores/differences.html", old=old, found=found, names=rules.PARAMETERS)


@post("/sittings/{sitting_id:int}/scores/{version:int}/publish", guards=[allows("score.publish")])
async def publish(request: StaffRequest, db: Connection, sitting_id: int, version: int) -> Response[str]:
    """Ask for publication; a second person does it (SAFETY J5)."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("score.publish"), lock=True)
        require_whole(head, actor.scope("score.publish"))
        run = await queries.find_run(db, sitting_id, version)
        if run.published_at is not None:
            raise AlreadyPublished
        published = next((other for other in await queries.runs(db, sitting_id) if other.published_at), None)
        await acts.ask(
            db,
            actor,
            PUBLISH.code,
            sitting_id=sitting_id,
            payload={"run_id": run.id, "regions": head.regions},
            before={N_("Published run"): str(published.version) if published else "—"},
            after={
                N_("Published run"): str(run.version),
                N_("Scored pupils"): number(run.summary["scored"]),
                N_("Waiting for a decision"): number(run.summary["waiting_attempts"]),
                N_("Result"): run.result_hash[:16],
            },
            reason=form.text("reason", required=False),
        )
    return see_other("/acts?asked=1")


async def _perform_publish(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    if not await queries.publish(db, act.payload["run_id"]):
        raise AlreadyPublished
    fact: dict[str, object] = {
        "run_id": act.payload["run_id"],
        "sitting_id": str(act.sitting_id),
        "asked_by": act.made_by,
    }
    await audit.record(
        db,
        actor,
        "score.run.published",
        kind="score_run",
        object_id=act.payload["run_id"],
        after=fact,
        reason=act.reason,
    )
    await hooks.tell(db, actor.project, "results.published", act.payload["run_id"])


PUBLISH = acts.register(acts.Act("score.publish", N_("Publish results"), "score.publish", _perform_publish))


async def _run_page(request: StaffRequest, db: Connection, head: SittingHead, run: RunRow | None) -> Response[str]:
    # The work before what it makes: read the other way round, a run that ends in between shows neither.
    working = list(await jobs.recent(db, sitting_id=head.id, kind="score"))[:1]
    runs = await queries.runs(db, head.id)
    run = run or (runs[0] if runs else None)
    context: dict[str, Any] = {"forms": [], "groups": [], "rulings_since": 0, "quota_lines": []}
    if run is not None:
        settings = request.app.state.settings
        spread = (await tables.table(settings, run, "distribution")).to_dicts()
        test = (await tables.table(settings, run, "test")).to_dicts()
        context["forms"] = [
            {
                **form,
                "bins": (
                    bins := [(line["points"], line["n"]) for line in spread if line["form_id"] == form["form_id"]]
                ),
                "drawing": pictures.histogram(bins, int(form["max_points"]), form["mean"]),
            }
            for form in test
        ]
        scope = request.scope["user"].scope("score.view")
        names = {region.code: region.name for region in await territory.regions(db, scope)}
        context["rulings_since"] = await queries.rulings_since(db, head.id, run.made_at)
        context["quota_lines"] = quota_rules(run, current())
        groups = (await tables.table(settings, run, "groups")).to_dicts()
        by_code = {line["value"]: line for line in groups if line["split"] == "region_code"}
        context["groups"] = [{**by_code[code], "name": name} for code, name in names.items() if code in by_code]
    return room(
        request,
        head,
        run,
        "scores/run.html",
        runs=runs,
        job=working[0] if working and (working[0].open or working[0].state == "failed") else None,
        late=LATE,
        reasons=rules.EXCLUDED_FOR,
        over=head.state in {"closed", "archived"} or head.now() > head.last_entry_at,
        asked=when(datetime.now(UTC)),
        **context,
    )


ROUTES = [overview, newest, one_run, ask_run, items, ranking, sheet, differences, publish]
