"""Results that meet a rule and fit nobody of the registry, or several: a person decides who is meant.

The list shows no names: a result is opened with a reason, counted and on record, like a person of the section.
"""

from __future__ import annotations

from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.names import fold
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.territory import NAME
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.talents.access import require
from portal.features.talents.structs import Candidate, Named, Unmatched

SELECT = f"""
    select u.participant_id, s.title as sitting_title, rule.title as rule, {NAME.format("sc")} as school,
           {NAME.format("r")} as region, u.why, u.found_at, u.person_id, u.decided_at, d.full_name as decided_by, u.reason
    from talent_unmatched u
    join sitting s on s.id = u.sitting_id
    join talent_rule rule on rule.id = u.rule_id
    join school sc on sc.id = u.school_id
    join region r on r.code = u.region_code
    left join staff d on d.id = u.decided_by
"""
SORTS = {
    "new": "u.found_at desc, u.participant_id desc",
    "-new": "u.found_at, u.participant_id",
    "school": "kk(r.name_kk), kk(sc.name_kk), u.participant_id",
    "-school": "kk(r.name_kk) desc, kk(sc.name_kk) desc, u.participant_id desc",
}


@get("/talents/unmatched", guards=[allows("talent.match")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """What waits for a decision, or what was decided."""
    actor = request.scope["user"]
    await require(db, actor)
    decided = picked(request, "state", ("decided",)) == "decided"
    view = listing(request, SORTS, "new")
    async with acting(db, actor, "talent.match"):
        total = await db.fetchval("select count(*) from talent_unmatched where (decided_at is not null) = $1", decided)
        rows = await db.fetch(
            f"{SELECT} where (u.decided_at is not null) = $1 order by {SORTS[view.sort]} limit $2 offset $3",
            *(decided, view.rows, view.offset),
        )
    return page(
        request,
        "talents/unmatched.html",
        rows=[Unmatched(**row) for row in rows],
        total=total,
        view=view,
        decided=decided,
    )


@post("/talents/unmatched/{participant_id:int}", guards=[allows("talent.match")])
async def open_one(request: StaffRequest, db: Connection, participant_id: int) -> Response[str]:
    """Whose result it is by the sitting's list, and who of the registry may be meant."""
    actor = request.scope["user"]
    await require(db, actor)
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    async with acting(db, actor, "talent.match"):
        row = await _find(db, participant_id)
        if form.errors:
            return page(request, "talents/unmatched_open.html", status=422, row=row, errors=form.errors, values={})
        await readings.count(db, actor, "card")
        await audit.record(
            db, actor, "talent.result.opened", kind="talent_result", object_id=participant_id, reason=reason
        )
        named = await _named(db, participant_id)
        candidates = await _candidates(db, named)
    return page(request, "talents/unmatched_one.html", row=row, named=named, candidates=candidates)


@get("/talents/unmatched/{participant_id:int}", guards=[allows("talent.match")])
async def ask_reason(request: StaffRequest, db: Connection, participant_id: int) -> Response[str]:
    """Ask what for."""
    await require(db, request.scope["user"])
    async with acting(db, request.scope["user"], "talent.match"):
        row = await _find(db, participant_id)
    return page(request, "talents/unmatched_open.html", row=row, errors={}, values={})


@post("/talents/unmatched/{participant_id:int}/decide", guards=[allows("talent.match")])
async def decide(request: StaffRequest, db: Connection, participant_id: int) -> Response[str]:
    """One of the candidates, or nobody of the registry; the next weighing goes by it."""
    actor = request.scope["user"]
    await require(db, actor)
    form = Form(await request.form())
    reason, chosen = form.text("reason", most=200), form.values.get("person", "")
    async with acting(db, actor, "talent.match"):
        row = await _find(db, participant_id, lock=True)
        persons = {str(one.id): one.id for one in await _candidates(db, await _named(db, participant_id))}
        if chosen not in {"nobody", *persons}:
            form.choice("person", ["nobody", *persons])
        if form.errors:
            # Names are shown to who gives a reason: the page that asks for one comes again.
            return page(request, "talents/unmatched_open.html", status=422, row=row, errors=form.errors, values={})
        await db.execute(
            """
            update talent_unmatched set person_id = $2, decided_by = $3, decided_at = now(), reason = $4
            where participant_id = $1
            """,
            *(participant_id, persons.get(chosen), actor.staff_id, reason),
        )
        before: dict[str, object] = {"person": row.person_id}
        after: dict[str, object] = {"person": persons.get(chosen)}
        await audit.record(
            db,
            actor,
            "talent.result.matched",
            kind="talent_result",
            object_id=participant_id,
            before=before,
            after=after,
            reason=reason,
        )
    return see_other("/talents/unmatched")


async def _find(db: Connection, participant_id: int, *, lock: bool = False) -> Unmatched:
    if lock:
        await db.fetchval("select 1 from talent_unmatched where participant_id = $1 for no key update", participant_id)
    row = await db.fetchrow(f"{SELECT} where u.participant_id = $1", participant_id)
    if row is None:
        raise NotThere
    return Unmatched(**row)


async def _named(db: Connection, participant_id: int) -> Named:
    row = await db.fetchrow(
        """
        select p.last_name, p.first_name, p.middle_name, p.birth_date, p.external_id, p.school_id, p.grade, p.class_letter
        from participant p
        where p.id = $1
        """,
        participant_id,
    )
    if row is None:
        raise NotThere
    return Named(**row)


async def _candidates(db: Connection, named: Named) -> list[Candidate]:
    """Of the same name and birth date anywhere in the territory, of the same external id, or of the school and birth date."""
    rows = await db.fetch(
        f"""
        select p.id, concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, '')) as name, p.birth_date,
               p.external_id, case when sc.id is not null then {NAME.format("sc")} end as school,
               p.school_id is not distinct from $4 as same_school
        from person p
        left join school sc on sc.id = p.school_id
        where p.status = 'active' and (
            (p.name_key = $1 and p.birth_date = $2) or p.external_id = $3 or (p.school_id = $4 and p.birth_date = $2))
        order by same_school desc, p.sort_name, p.id
        limit 20
        """,
        *(fold(f"{named.last_name} {named.first_name}"), named.birth_date, named.external_id, named.school_id),
    )
    return [Candidate(**row) for row in rows]


ROUTES = [show_list, ask_reason, open_one, decide]
