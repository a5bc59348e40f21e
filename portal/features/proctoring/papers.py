"""The paper of a case: a PDF with the chosen pictures, each with its reader's name in the pixels, made by a job."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit, jobs, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import links, uploads
from portal.core.files.paper import PDF_TYPE
from portal.core.forms import Form
from portal.core.i18n import N_, clock, day, day_time, of, t, when
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.problems import NotThere, told
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import casework, complaints, queries, reaching, reviewing
from portal.features.proctoring.cases import PAPER, REVIEW, WHY, held
from portal.features.proctoring.sheet import Sheet, Shown, as_pdf
from portal.features.proctoring.structs import KINDS, REASONS

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.core.jobs import Context
    from portal.features.proctoring.casework import Case

MOST_EVENTS = 120


@post("/cases/{attempt:int}/paper", guards=[allows(REVIEW)])
async def ask(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Begin the job: for a purpose that stands on each page, counted (SAFETY P1)."""
    actor, form = request.scope["user"], Form(await request.form())
    case = await held(db, request, attempt)
    purpose = form.text("purpose", most=200)
    if form.errors:
        return see_other(f"/cases/{attempt}?purpose=missing#paper")
    payload: dict[str, Any] = {"attempt": attempt, "purpose": purpose, "reader": actor.full_name, "login": actor.login}
    try:
        async with db.transaction():
            await readings.count(db, actor, "card")
            job_id = await jobs.ask(db, PAPER, sitting_id=case.sitting_id, made_by=actor.staff_id, payload=payload)
            fact: dict[str, object] = {"job": job_id}
            await audit.record(
                db, actor, "watch.paper.asked", kind="participant", object_id=attempt, after=fact, reason=purpose
            )
    except readings.ReadingStopped:
        await readings.alarm(db, actor)
        raise
    await request.app.state.queues.send(job_id, PAPER)
    return see_other(f"/cases/{attempt}/paper/{job_id}")


@get("/cases/{attempt:int}/paper/{job_id:int}", guards=[allows(REVIEW)])
async def show(request: StaffRequest, db: Connection, attempt: int, job_id: int) -> Response[str]:
    """Progress, then a link of some minutes."""
    actor, settings = request.scope["user"], request.app.state.settings
    case = await held(db, request, attempt)
    job = await jobs.find(db, job_id)
    if job is None or job.kind != PAPER or job.made_by != actor.staff_id or job.payload["attempt"] != attempt:
        raise NotThere
    result = job.result or {}
    link = None
    over = False
    if job.state == "done":
        over = await _name_for(db, actor, result["key"]) is None
        link = links.path_of(decode_key(settings.link_key), FILE, result["key"], actor.staff_id, datetime.now(UTC))
    return page(
        request, "proctoring/case_paper.html", case=case, job=job, link=link, over=over, sentence=told(job.result)
    )


async def _name_for(db: Connection, actor: Actor, key: str) -> str | None:
    """His own paper of a case that he may still read; none with a picture that was sealed or erased since."""
    row = await db.fetchrow(
        "select payload, result from job where kind = $1 and made_by = $2 and state = 'done' and result ->> 'key' = $3",
        *(PAPER, actor.staff_id, key),
    )
    if row is None:
        return None
    attempt, pictures = row["payload"]["attempt"], row["result"]["pictures"]
    try:
        await reaching.reach(db, actor, attempt, REVIEW)
    except NotThere:
        return None
    seqs, taken = [one[0] for one in pictures], [one[1] for one in pictures]
    if not await reaching.may_read(db, actor.staff_id, attempt) or await casework.sealed_since(
        db, attempt, seqs, taken
    ):
        return None
    return f"case-{attempt}.pdf"


FILE = links.register(
    links.Source(
        code="watch-paper",
        bucket=uploads.EXPORTS,
        permission=REVIEW,
        media=PDF_TYPE,
        name_for=_name_for,
        act="watch.paper.taken",
        about="paper",
    )
)


async def make(context: Context) -> dict[str, Any]:
    """The job: pictures one by one, each look on record before it is asked for; what is sealed meanwhile is left out."""
    payload = context.job.payload
    attempt, staff_id = payload["attempt"], context.job.made_by
    assert staff_id is not None
    async with context.pool.acquire() as db:
        case = await casework.find(db, attempt)
        if case is None:
            raise NotThere
        chosen = await casework.evidence(db, case.sitting_id, attempt)
        sheet = await _sheet(db, case, payload, staff_id, len(chosen))
    await context.progress(0, len(chosen) + 1)
    shown: list[Shown] = []
    by = reaching.viewer(payload["reader"], payload["login"])
    for done, one in enumerate(chosen, 1):
        async with context.pool.acquire() as db:
            await reaching.look(db, staff_id, case.sitting_id, attempt, one.seq, payload["purpose"])
        path = f"{case.sitting_id}/{attempt}/{one.seq}"
        found = await reaching.fetch(context.settings, path, {"at": str(one.taken_ms), "by": by, "small": "0"})
        if found is not None:
            caption = when(from_ms(one.taken_ms))
            if one.kind == "identity":
                caption = f"{t(N_('Identity photo'))}, {caption}"
            shown.append(Shown(one.seq, one.taken_ms, found[0], caption))
        await context.progress(done, len(chosen) + 1)
    async with context.pool.acquire() as db:
        seqs, taken = [one.seq for one in shown], [one.taken_ms for one in shown]
        if await casework.sealed_since(db, attempt, seqs, taken):
            # Sealed while we were at it: a paper without it is made anew, by the same job.
            there = {(one.seq, one.taken_ms) for one in await casework.evidence(db, case.sitting_id, attempt)}
            shown = [one for one in shown if (one.seq, one.taken_ms) in there]
    body = await asyncio.to_thread(as_pdf, msgspec.structs.replace(sheet, pictures=shown))
    key = await uploads.keep(context.settings.objects, uploads.EXPORTS, PAPER, body)
    return {
        "key": key,
        "size": len(body),
        "pictures": [[one.seq, one.taken_ms] for one in shown],
        "left_out": len(chosen) - len(shown),
    }


async def _sheet(db: Connection, case: Case, payload: dict[str, Any], staff_id: int, chosen: int) -> Sheet:
    """Everything but the pictures, in the language of who asked. A child is a number on paper too."""
    attempt = case.attempt
    looked = await reviewing.looked(db, attempt)
    facts = [
        (t(N_("Sitting")), of(case.title)),
        (t(N_("Child")), f"№ {case.number}"),
        (t(N_("Opened")), f"{when(case.opened_at)}, {case.opened_by}: {t(WHY[case.why])}"),
        (t(N_("Decision")), t(KINDS[case.outcome]) if case.outcome else t(N_("not settled"))),
        (t(N_("Risk, by the machine")), str(round(looked.score))),
    ]
    verdicts = [
        f"{day_time(one.made_at)} · {one.by}: {t(KINDS[one.kind])} — {t(REASONS[one.kind].get(one.reason, one.reason))}"
        + (f". {one.words}" if one.words else "")
        for one in await queries.verdicts(db, attempt, staff_id)
    ]
    rulings = [
        f"{day_time(one.made_at)} · {t(KINDS[one.kind])} ({t(BY_APPEAL if one.by_appeal else BY_TWO)})"
        for one in await casework.rulings(db, attempt)
    ]
    appeals = [
        f"{day_time(one.made_at)} · {one.told_by} ({t(complaints.CHANNELS[one.channel])}): {one.words} → "
        + t(complaints.STATES[one.state])
        + (f": {one.reason}" if one.reason else "")
        for one in await complaints.of_attempt(db, attempt)
    ]
    events = await queries.events(db, case.sitting_id, attempt, MOST_EVENTS)
    looks = await casework.looks(db, attempt)
    return Sheet(
        title=t(N_("Case of child № {number}"), number=case.number),
        note=t(
            N_("Made for {name}, {when}. Purpose: {purpose}."),
            name=payload["reader"],
            when=when(datetime.now(UTC)),
            purpose=payload["purpose"],
        ),
        facts=facts,
        parts=[
            (t(N_("Why, by the machine: an order for the eyes, no verdict")), looked.lines),
            (t(N_("What persons said, none knowing the other's")), verdicts),
            (t(N_("What holds")), rulings),
            (t(N_("Appeals")), appeals),
            (
                t(N_("Notes")),
                [f"{day_time(one.made_at)} · {one.by}: {one.words}" for one in await casework.notes(db, attempt)],
            ),
            (
                t(N_("What happened")),
                [f"{clock(from_ms(one.at_ms), seconds=True)} {one.line}" for one in events],
            ),
            (
                t(N_("Who looked")),
                [f"{one.by}: {one.seen} ({_from_to(one.first_at, one.last_at)})" for one in looks],
            ),
        ],
        pictures=[],
        pictures_title=t(N_("Pictures chosen as evidence")),
        nothing=t(N_("None.")),
        no_pictures=t(ALL_GONE if chosen else NONE_CHOSEN),
    )


def _from_to(first: datetime, last: datetime) -> str:
    """Both times; the day once where they share it."""
    return f"{day_time(first)} – {clock(last) if day(first) == day(last) else day_time(last)}"


NONE_CHOSEN = N_("No picture was chosen as evidence.")
ALL_GONE = N_("The pictures that were chosen as evidence are sealed or erased, or could not be read.")
BY_APPEAL, BY_TWO = N_("by an appeal"), N_("two persons agree")
WORK = {PAPER: make}
ROUTES = [ask, show]
