"""The job that weighs the rules over published runs and brings the section up to date; every day, and by the button.

It reads first and changes last, in one short transaction: a run that cannot be read leaves all as it was.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from infra.objects import open_bucket
from portal.core import audit, jobs
from portal.core.accounts.structs import Scope
from portal.core.names import fold
from portal.core.scope import within
from portal.features.talents import queries, rules
from portal.features.talents.problems import RunAway
from portal.features.talents.structs import Hit, Participant, PublishedRun
from scoring.artefacts import read_parquet

if TYPE_CHECKING:
    import polars as pl

    from infra.objects import Bucket
    from portal.core.db import Connection, Pool
    from portal.core.jobs import Context
    from portal.features.talents.structs import Rule

log = structlog.get_logger()
KIND = "talents-weigh"
COUNTRY = Scope(country=True)


async def weigh(context: Context) -> dict[str, Any]:
    """The job."""
    async with context.pool.acquire() as db:
        in_force = await queries.rules(db, state="on")
    hits = await _hits(context, in_force)
    attempts = sorted({hit.attempt_id for own in hits.values() for hit in own})
    async with context.pool.acquire() as db, within(db, COUNTRY):
        await db.execute("set local statement_timeout = 0")
        participants = await _participants(db, attempts)
        registry = await _registry(db, list(participants.values()))
        decided = await _decided(db, attempts)
        weighed = await asyncio.to_thread(rules.weigh, hits, in_force, participants, registry, decided)
        changed = await _write(db, weighed, participants)
        await audit.record_for(
            db,
            staff_id=context.job.made_by,
            acting_as="job",
            address="-",
            act="talent.section.weighed",
            kind="talent_list",
            object_id=context.job.id,
            after=dict(changed),
        )
    return changed


async def _hits(context: Context, in_force: list[Rule]) -> dict[int, list[Hit]]:
    """Rule → hits, each run's table read once."""
    hits: dict[int, list[Hit]] = {rule.id: [] for rule in in_force}
    async with context.pool.acquire() as db:
        runs = [
            (run, [rule for rule in in_force if rule.project == project and rule.sitting_id in {None, run.sitting_id}])
            for project in sorted({rule.project for rule in in_force})
            for run in await _published(db, project)
        ]
    wanted = [(run, own) for run, own in runs if own]
    settings = context.settings
    try:
        async with open_bucket(settings.objects, settings.score_bucket) as bucket:
            for done, (run, own) in enumerate(wanted):
                scores = await _scores(bucket, run)
                for rule in own:
                    meets = rules.top if rule.kind == "top" else rules.high
                    met = await asyncio.to_thread(meets, rule, run, scores)
                    hits[rule.id] += met
                await context.progress(done + 1, len(wanted))
    except (ClientError, BotoCoreError, OSError) as error:
        raise RunAway from error
    return hits


async def _published(db: Connection, project: str) -> list[PublishedRun]:
    """Each sitting's newest published run, and who of it was left out since."""
    rows = await db.fetch(
        """
        select distinct on (r.sitting_id) r.id, r.sitting_id, r.version, s.title, s.starts_at,
               array(select e.attempt_id from exclusion e where e.sitting_id = s.id and e.excluded order by 1) as voided
        from score_run r
        join sitting s on s.id = r.sitting_id
        where r.published_at is not null and s.project = $1
        order by r.sitting_id, r.version desc
        """,
        project,
    )
    return [PublishedRun(**row) for row in rows]


async def _scores(bucket: Bucket, run: PublishedRun) -> pl.DataFrame:
    body = await bucket.get(f"sittings/{run.sitting_id}/runs/{run.version:04d}/scores.parquet")
    if body is None:
        raise RunAway
    return await asyncio.to_thread(read_parquet, body)


async def _participants(db: Connection, attempts: list[int]) -> dict[int, Participant]:
    rows = await db.fetch(
        """
        select p.id, p.sitting_id, p.school_id, d.region_code, p.external_id, p.last_name, p.first_name, p.birth_date
        from participant p
        join school s on s.id = p.school_id
        join district d on d.id = s.district_id
        where p.id = any($1::bigint[])
        """,
        attempts,
    )
    return {row["id"]: Participant(**row) for row in rows}


async def _registry(db: Connection, participants: list[Participant]) -> rules.Registry:
    """Persons who could be meant, and no others."""
    rows = await db.fetch(
        """
        select p.id, p.external_id, p.name_key, p.birth_date::text, p.school_id
        from person p
        where p.status = 'active' and (
            p.external_id = any($1::text[])
            or p.id in (
                select q.id
                from unnest($2::text[], $3::date[]) as asked (name_key, birth_date)
                join person q on q.name_key = asked.name_key and q.birth_date = asked.birth_date))
        """,
        [one.external_id for one in participants],
        [fold(f"{one.last_name} {one.first_name}") for one in participants],
        [one.birth_date for one in participants],
    )
    return rules.Registry(rules.Person(**row) for row in rows)


async def _decided(db: Connection, attempts: list[int]) -> dict[int, int | None]:
    rows = await db.fetch(
        """
        select u.participant_id, coalesce(p.merged_into, p.id) as person_id
        from talent_unmatched u
        left join person p on p.id = u.person_id
        where u.decided_at is not null and u.participant_id = any($1::bigint[])
        """,
        attempts,
    )
    return {row["participant_id"]: row["person_id"] for row in rows}


async def _write(db: Connection, weighed: rules.Weighed, participants: dict[int, Participant]) -> dict[str, int]:
    """Close what no longer holds, open what is new; two jobs, or a job and a withdrawal, one after the other."""
    await queries.take_turn(db)
    # A rule that was switched off, or a consent withdrawn, while the tables were read brings nobody in.
    on = {row["id"] for row in await db.fetch("select id from talent_rule where state = 'on'")}
    withdrawn = await _withdrawn(db, sorted({person for person, _ in weighed.inside}))
    wanted = {key: hit for key, hit in weighed.inside.items() if key[1] in on and key[0] not in withdrawn}
    now = await db.fetch("select id, person_id, rule_id, run_id, reason, since from talent where left_at is null")
    left: list[int] = []
    renewed: list[int] = []
    since: dict[tuple[int, int], Any] = {}
    for row in now:
        key = row["person_id"], row["rule_id"]
        hit = wanted.get(key)
        if hit is None:
            left.append(row["id"])
        elif (hit.run_id, hit.reason) == (row["run_id"], row["reason"]):
            del wanted[key]
        else:
            renewed.append(row["id"])
            since[key] = row["since"]
    await db.execute(
        "update talent set left_at = now(), left_why = case when id = any($2::bigint[]) then 'renewed' else 'result' end "
        "where id = any($1::bigint[])",
        *([*left, *renewed], renewed),
    )
    await db.executemany(
        """
        insert into talent (person_id, rule_id, run_id, reason, since)
        select p.id, $2, $3, $4, coalesce($5, now()) from person p where p.id = $1 and p.status = 'active'
        """,
        [(person, rule, hit.run_id, hit.reason, since.get((person, rule))) for (person, rule), hit in wanted.items()],
    )
    unmatched = await _write_unmatched(db, weighed.unmatched, participants)
    came = len(wanted) - len(renewed)
    return {"came": came, "left": len(left), "renewed": len(renewed), "unmatched": unmatched}


async def _withdrawn(db: Connection, persons: list[int]) -> set[int]:
    """Who took a consent back and gave no other: the rules do not bring him in again."""
    rows = await db.fetch(
        """
        select distinct person_id
        from consent
        where person_id = any($1::bigint[]) and purpose = 'talents' and withdrawn_at is not null
            and not consent_holds(person_id, 'talents')
        """,
        persons,
    )
    return {row["person_id"] for row in rows}


async def _write_unmatched(
    db: Connection, unmatched: dict[int, tuple[int, str]], participants: dict[int, Participant]
) -> int:
    """The list for a person to decide; what nobody decided and no longer meets a rule goes."""
    await db.execute(
        "delete from talent_unmatched where decided_at is null and participant_id <> all($1::bigint[])", list(unmatched)
    )
    await db.executemany(
        """
        insert into talent_unmatched (participant_id, rule_id, sitting_id, region_code, school_id, why)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (participant_id) do update set rule_id = excluded.rule_id, why = excluded.why
        where talent_unmatched.decided_at is null
        """,
        [
            (one, rule, whose.sitting_id, whose.region_code, whose.school_id, why)
            for one, (rule, why) in sorted(unmatched.items())
            for whose in [participants[one]]
        ],
    )
    return len(unmatched)


async def ask(db: Connection, staff_id: int | None) -> int | None:
    """A job, unless one waits or runs already."""
    if await db.fetchval("select exists (select 1 from job where kind = $1 and state in ('queued', 'running'))", KIND):
        return None
    return await jobs.ask(db, KIND, sitting_id=None, made_by=staff_id, payload={})


async def ask_daily(pool: Pool) -> None:
    """The day's weighing; the worker finds the job by itself."""
    async with pool.acquire() as db:
        job_id = await ask(db, None)
    log.info("talents.weighing.asked", job=job_id)


WORK = {KIND: weigh}
