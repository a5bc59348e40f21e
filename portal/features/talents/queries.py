"""SQL of the section, its rules and its accesses. What reads persons runs within `portal.core.scope`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.names import patterns
from portal.core.problems import NotThere
from portal.core.territory import NAME
from portal.features.talents.structs import Access, Filter, NewRule, Rule, Stay, Talent, TalentRow

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.db import Connection

# Nobody without a consent has a place in the order of names: the place would tell the name.
SORTS = {
    "name": "named desc, case when named then p.sort_name end, t.id",
    "-name": "named desc, case when named then p.sort_name end desc, t.id desc",
    "region": "kk(r.name_kk), r.code, named desc, case when named then p.sort_name end, t.id",
    "-region": "kk(r.name_kk) desc, r.code desc, named desc, case when named then p.sort_name end, t.id",
    "new": "t.since desc, t.id desc",
    "-new": "t.since, t.id",
}
# Filters that would tell of somebody without a consent where he is or what he is called, leave him out.
WHERE = """
    t.left_at is null and p.status = 'active' and ($1::int is null or t.rule_id = $1) and ($2 = '' or p.region_code = $2)
    and ($3::int is null or (named and p.grade = $3))
    and (cardinality($4::text[]) = 0 or (named and p.search_key like all ($4)))
"""
FROM = """
    from talent t
    join person p on p.id = t.person_id
    join talent_rule rule on rule.id = t.rule_id
    join region r on r.code = p.region_code
    left join school sc on sc.id = p.school_id
    cross join lateral (select consent_holds(p.id, 'talents') as named) as consent
"""
SCHOOL = f"case when sc.id is not null then {NAME.format('sc')} end"
PERSON_NAME = "concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, ''))"


def _given(wanted: Filter) -> tuple[object, ...]:
    return wanted.rule, wanted.region, wanted.grade, patterns(wanted.words)


async def list_talents(
    db: Connection, wanted: Filter, *, sort: str, limit: int, offset: int, named_only: bool = False
) -> list[TalentRow]:
    """A page of the section: a line a person and rule."""
    rows = await db.fetch(
        f"""
        select named, case when named then p.id end as person_id, case when named then {PERSON_NAME} end as name,
               case when named then {SCHOOL} end as school, case when named then p.grade end as grade,
               case when named then p.class_letter end as class_letter, {NAME.format("r")} as region,
               rule.id as rule_id, rule.title as rule, rule.kind, t.reason, t.since
        {FROM}
        where {WHERE} and (named or not $5)
        order by {SORTS[sort]}
        limit $6 offset $7
        """,
        *_given(wanted),
        *(named_only, limit, offset),
    )
    return [TalentRow(**row) for row in rows]


async def count_talents(db: Connection, wanted: Filter) -> tuple[int, int]:
    """Lines that fit a filter, and how many of them are of persons with a consent."""
    row = await db.fetchrow(
        f"select count(*) as lines, count(*) filter (where named) as named {FROM} where {WHERE}", *_given(wanted)
    )
    assert row is not None
    return row["lines"], row["named"]


async def find_talent(db: Connection, person_id: int) -> Talent:
    """A person who is in the section now and has a consent."""
    row = await db.fetchrow(
        f"""
        select p.id, {PERSON_NAME} as name, {SCHOOL} as school, p.grade, p.class_letter, {NAME.format("r")} as region,
               p.phone, p.email
        from person p
        join region r on r.code = p.region_code
        left join school sc on sc.id = p.school_id
        where p.id = $1 and p.status = 'active' and consent_holds(p.id, 'talents')
            and exists (select 1 from talent t where t.person_id = p.id and t.left_at is null)
        """,
        person_id,
    )
    if row is None:
        raise NotThere
    return Talent(**row)


async def stays(db: Connection, person_id: int) -> list[Stay]:
    """All times of a person in the section, the newest first."""
    rows = await db.fetch(
        """
        select rule.title as rule, rule.kind, t.reason, t.since, t.left_at, t.left_why
        from talent t
        join talent_rule rule on rule.id = t.rule_id
        where t.person_id = $1
        order by t.left_at is not null, t.id desc
        limit 100
        """,
        person_id,
    )
    return [Stay(**row) for row in rows]


async def rules(db: Connection, *, state: str | None = None, rule_id: int | None = None) -> list[Rule]:
    """Rules, those in force first."""
    rows = await db.fetch(
        f"""
        select r.id, r.project, r.kind, r.title, r.sitting_id, r.share, r.per, r.percentile, r.times, r.state, r.made_by,
               r.made_at, r.switched_at, m.full_name as made_by_name, a.full_name as agreed_by_name,
               {NAME.format("p")} as project_name, s.title as sitting_title,
               (select count(*) from talent t where t.rule_id = r.id and t.left_at is null) as inside
        from talent_rule r
        join project p on p.code = r.project
        join staff m on m.id = r.made_by
        left join staff a on a.id = r.agreed_by
        left join sitting s on s.id = r.sitting_id
        where ($1::text is null or r.state = $1) and ($2::int is null or r.id = $2)
        order by case r.state when 'on' then 0 when 'draft' then 1 else 2 end, r.id desc
        """,
        *(state, rule_id),
    )
    return [Rule(**row) for row in rows]


async def find_rule(db: Connection, rule_id: int, *, lock: bool = False) -> Rule:
    """One rule."""
    if lock:
        await db.fetchval("select id from talent_rule where id = $1 for no key update", rule_id)
    found = await rules(db, rule_id=rule_id)
    if not found:
        raise NotThere
    return found[0]


async def add_rule(db: Connection, rule: NewRule, staff_id: int) -> int:
    """A rule that is not in force yet."""
    return await db.fetchval(
        """
        insert into talent_rule (project, kind, title, sitting_id, share, per, percentile, times, made_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning id
        """,
        *(rule.project, rule.kind, rule.title, rule.sitting_id, rule.share, rule.per, rule.percentile, rule.times),
        staff_id,
    )


async def switch_on(db: Connection, rule_id: int, agreed_by: int) -> bool:
    """In force by a second person's word; False: it was already."""
    done = await db.fetchval(
        """
        update talent_rule set state = 'on', agreed_by = $2, switched_at = now()
        where id = $1 and state <> 'on' and made_by <> $2
        returning id
        """,
        *(rule_id, agreed_by),
    )
    return done is not None


async def take_turn(db: Connection) -> None:
    """Weighings, withdrawals of consent (the trigger of 0042) and switches change the section one after the other."""
    await db.execute("select pg_advisory_xact_lock(hashtext('talent'))")


async def switch_off(db: Connection, rule_id: int) -> bool:
    """Off, and with it everybody who was in by it alone; False: it was not in force."""
    await take_turn(db)
    done = await db.fetchval(
        "update talent_rule set state = 'off', switched_at = now() where id = $1 and state <> 'off' returning id",
        rule_id,
    )
    await db.execute(
        "update talent set left_at = now(), left_why = 'rule' where rule_id = $1 and left_at is null", rule_id
    )
    return done is not None


async def access_of(db: Connection, staff_id: int) -> Access | None:
    """A person's access that holds now."""
    return next((one for one in await accesses(db, staff_id=staff_id) if one.holds), None)


async def accesses(db: Connection, *, staff_id: int | None = None) -> list[Access]:
    """Who has or had access, those who have it first."""
    rows = await db.fetch(
        """
        select a.id, a.staff_id, s.full_name as name, a.reason, g.full_name as agreed_by, a.began_at, a.ends_at, a.ended_at,
               e.full_name as ended_by,
               a.ended_at is null and a.ends_at > now() and s.disabled_at is null as holds
        from talent_access a
        join staff s on s.id = a.staff_id
        join staff g on g.id = a.agreed_by
        left join staff e on e.id = a.ended_by
        where $1::int is null or a.staff_id = $1
        order by holds desc, a.id desc
        limit 200
        """,
        staff_id,
    )
    return [Access(**row) for row in rows]


async def give_access(db: Connection, staff_id: int, reason: str, agreed_by: int, ends_at: datetime) -> int:
    """From now until an end."""
    return await db.fetchval(
        "insert into talent_access (staff_id, reason, agreed_by, ends_at) values ($1, $2, $3, $4) returning id",
        *(staff_id, reason, agreed_by, ends_at),
    )


async def end_access(db: Connection, access_id: int, ended_by: int) -> int | None:
    """End an access before its time; whose it was, None: it had ended."""
    return await db.fetchval(
        """
        update talent_access set ended_at = now(), ended_by = $2
        where id = $1 and ended_at is null and ends_at > now()
        returning staff_id
        """,
        *(access_id, ended_by),
    )


async def add_copy(db: Connection, staff_id: int, form: str, purpose: str, wanted: dict[str, object], rows: int) -> int:
    """A file's number."""
    return await db.fetchval(
        "insert into talent_copy (staff_id, form, purpose, filter, rows) values ($1, $2, $3, $4, $5) returning id",
        *(staff_id, form, purpose, wanted, rows),
    )
