"""What two persons decided about a sitting, on one page; late answers and excluded pupils (SAFETY J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text, number
from portal.core.permissions import allows
from portal.core.problems import NotThere, OwnSchool
from portal.core.sittings import find_head
from portal.core.ui.listing import listing
from portal.core.ui.pages import see_other
from portal.features.scores import queries, rules, tables
from portal.features.scores.problems import NothingDecided
from portal.features.scores.rooms import DECIDE, newest_run, room, whole_sitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.sittings import SittingHead

MOST_AT_ONCE = 200


@get("/sittings/{sitting_id:int}/scores/decisions", guards=[allows("score.view")])
async def decisions(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Quota, late answers, exclusions, questions: what holds now and who decided it."""
    head = await find_head(db, sitting_id, request.scope["user"].scope("score.view"))
    return await _page(request, db, head, {}, {})


@get("/sittings/{sitting_id:int}/scores/waiting", guards=[allows(DECIDE)])
async def waiting(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Attempts with late, undecided or after-finish answers, as the newest run found them."""
    head = await whole_sitting(db, request.scope["user"], sitting_id)
    return await _waiting_page(request, db, head, None)


@post("/sittings/{sitting_id:int}/scores/waiting", guards=[allows(DECIDE)])
async def ask_waiting(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Put a decision about the ticked attempts before a second person."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with db.transaction():
        head = await whole_sitting(db, actor, sitting_id, lock=True)
        run = await newest_run(db, head)
        lines = {row["attempt_id"]: row for row in await _waiting_rows(request, run)}
        ticked = form.choices("attempt", [str(attempt) for attempt in lines])[:MOST_AT_ONCE]
        if not ticked:
            form.miss("attempt", N_("Tick at least one pupil."))
        reason, counts = form.text("reason"), form.choice("do", ["count", "refuse"]) == "count"
        if form.errors:
            return await _waiting_page(request, db, head, form)
        chosen = [lines[int(attempt)] for attempt in ticked]
        await _require_foreign(db, actor, head, list(map(int, ticked)))
        await _ask_waiting(db, actor, head, chosen, reason, counts=counts)
    return see_other("/acts?asked=1")


async def _ask_waiting(
    db: Connection, actor: Actor, head: SittingHead, chosen: list[dict[str, Any]], reason: str, *, counts: bool
) -> None:
    attempts = [row["attempt_id"] for row in chosen]
    held = await queries.waiting_decisions(db, head.id)
    silences = [row["longest_silence_ms"] for row in chosen if row["longest_silence_ms"] is not None]
    shown = {N_("Attempts"): ", ".join(f"№ {attempt}" for attempt in attempts)}
    await acts.ask(
        db,
        actor,
        WAITING.code,
        sitting_id=head.id,
        payload={"attempts": attempts, "counts": counts, "regions": head.regions},
        before={
            **shown,
            N_("Decided before"): number(sum(attempt in held for attempt in attempts)),
            N_("Late, undecided or after the hand-in"): number(sum(row["answers"] for row in chosen)),
            N_("Longest silence, minutes"): number(max(silences) / 60_000) if silences else "—",
        },
        after={
            **shown,
            N_("These answers"): Text(N_("count") if counts else N_("do not count")),
            N_("Questions with another answer"): number(sum(row["would_change"] for row in chosen) if counts else 0),
        },
        reason=reason,
    )


async def _perform_waiting(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    assert act.sitting_id is not None
    head = await whole_sitting(db, actor, act.sitting_id, lock=True)
    attempts, counts = act.payload["attempts"], act.payload["counts"]
    await _require_foreign(db, actor, head, attempts)
    await queries.decide_waiting(db, head.id, attempts, act.reason, act.made_by, actor.staff_id, counts=counts)
    for attempt in attempts:
        fact: dict[str, object] = {"counts": counts, "sitting_id": str(head.id), "asked_by": act.made_by}
        await audit.record(
            db,
            actor,
            "score.waiting.decided",
            kind="participant",
            object_id=attempt,
            after=fact,
            reason=act.reason,
        )


@post("/sittings/{sitting_id:int}/scores/excluded", guards=[allows(DECIDE)])
async def ask_exclusion(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Put leaving an attempt out, or taking it in again, before a second person."""
    actor = request.scope["user"]
    form = Form(await request.form())
    out = form.choice("do", ["exclude", "readmit"], "exclude") == "exclude"
    async with db.transaction():
        head = await whole_sitting(db, actor, sitting_id, lock=True)
        await newest_run(db, head)
        attempt = form.integer("attempt", least=1, most=2**31 - 1)
        why = form.choice("why", rules.EXCLUDED_FOR) if out else "own-wish"
        note = form.text("reason")
        if "attempt" not in form.errors and not await queries.attempts_of(db, sitting_id, [attempt]):
            form.miss("attempt", N_("No pupil of this sitting has this number."))
        if form.errors:
            return await _page(request, db, head, form.values, form.errors)
        await _require_foreign(db, actor, head, [attempt])
        await _ask_exclusion(db, actor, head, attempt, why, note, out=out)
    return see_other("/acts?asked=1")


async def _ask_exclusion(
    db: Connection, actor: Actor, head: SittingHead, attempt: int, why: str, note: str, *, out: bool
) -> None:
    held = await _held(db, head, attempt)
    if (held is not None) == out and (held == why or not out):
        raise NothingDecided
    shown = {N_("Attempt"): f"№ {attempt}"}
    states = (Text(N_("in the ranking")), Text(N_("left out")))
    why = why if out else held or why
    await acts.ask(
        db,
        actor,
        (EXCLUDE if out else READMIT).code,
        sitting_id=head.id,
        payload={"attempt": attempt, "why": why, "note": note, "regions": head.regions},
        before={**shown, N_("State"): states[0 if held is None else 1]},
        after={
            **shown,
            N_("State"): states[1 if out else 0],
            **({N_("Why"): Text(rules.EXCLUDED_FOR[why])} if out else {}),
        },
        reason=note,
    )


async def _held(db: Connection, head: SittingHead, attempt: int) -> str | None:
    """The reason for which an attempt is left out now."""
    rows = await queries.exclusions(db, head.id)
    return next((row.reason for row in rows if row.attempt_id == attempt and row.excluded), None)


async def _perform_exclusion(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    assert act.sitting_id is not None
    head = await whole_sitting(db, actor, act.sitting_id, lock=True)
    attempt, out = act.payload["attempt"], act.act == EXCLUDE.code
    await _require_foreign(db, actor, head, [attempt])
    await queries.set_exclusion(db, head.id, act.payload, act.made_by, actor.staff_id, excluded=out)
    fact: dict[str, object] = {"why": act.payload["why"], "sitting_id": str(head.id), "asked_by": act.made_by}
    code = "score.attempt.excluded" if out else "score.attempt.readmitted"
    await audit.record(db, actor, code, kind="participant", object_id=attempt, after=fact, reason=act.reason)


WAITING = acts.register(acts.Act("score.waiting", N_("Decide about late answers"), DECIDE, _perform_waiting))
EXCLUDE = acts.register(acts.Act("score.exclude", N_("Leave a pupil out of the ranking"), DECIDE, _perform_exclusion))
READMIT = acts.register(
    acts.Act("score.readmit", N_("Take a pupil into the ranking again"), DECIDE, _perform_exclusion)
)


async def _require_foreign(db: Connection, actor: Actor, head: SittingHead, attempts: Sequence[int]) -> None:
    """All of this sitting, none of the person's own school."""
    found = await queries.attempts_of(db, head.id, attempts)
    if len(found) != len(set(attempts)):
        raise NotThere
    if actor.own_school_id is not None and any(attempt.school_id == actor.own_school_id for attempt in found):
        raise OwnSchool


async def _waiting_rows(request: StaffRequest, run: Any) -> list[dict[str, Any]]:
    table = await tables.table(request.app.state.settings, run, "waiting")
    return table.sort("would_change", "attempt_id", descending=[True, False]).to_dicts()


async def _waiting_page(request: StaffRequest, db: Connection, head: SittingHead, form: Form | None) -> Response[str]:
    run = await newest_run(db, head)
    held = await queries.waiting_decisions(db, head.id)
    rows = await _waiting_rows(request, run)
    open_only = request.query_params.get("show", "open") == "open"
    shown = [row for row in rows if not (open_only and row["attempt_id"] in held)]
    view = listing(request, ["rank"], "rank", rows=50)
    here = shown[view.offset : view.offset + view.rows]
    scope = request.scope["user"].scope(DECIDE)
    return room(
        request,
        head,
        None,
        "scores/waiting.html",
        status=422 if form and form.errors else 200,
        newest=run,
        rows=here,
        people=await queries.persons(db, head.id, [row["attempt_id"] for row in here], scope),
        held=held,
        open_only=open_only,
        view=view,
        total=len(shown),
        values=form.values if form else {},
        errors=form.errors if form else {},
    )


async def _page(
    request: StaffRequest, db: Connection, head: SittingHead, values: dict[str, str], errors: dict[str, Text]
) -> Response[str]:
    runs = await queries.runs(db, head.id)
    scope = request.scope["user"].scope("score.view")
    left = await queries.exclusions(db, head.id)
    mine = await queries.persons(db, head.id, [row.attempt_id for row in left], scope)
    held = await queries.waiting_decisions(db, head.id)
    return room(
        request,
        head,
        None,
        "scores/decisions.html",
        status=422 if errors else 200,
        newest=runs[0] if runs else None,
        since=await queries.rulings_since(db, head.id, runs[0].made_at) if runs else 0,
        plan=await queries.quota_plan(db, head.id),
        ties=rules.TIES,
        waiting_counted=sum(decision.counts for decision in held.values()),
        waiting_refused=sum(not decision.counts for decision in held.values()),
        excluded=[row for row in left if row.attempt_id in mine],
        reasons=rules.EXCLUDED_FOR,
        rulings=await queries.item_rulings(db, head.id),
        ruling_names=rules.RULINGS,
        values={"attempt": request.query_params.get("attempt", ""), **values},
        errors=errors,
    )


ROUTES = [decisions, waiting, ask_waiting, ask_exclusion]
