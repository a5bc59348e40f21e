"""SQL of registrations. What reads `registration` or persons runs within `portal.core.scope`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.names import fold
from portal.core.territory import NAME
from portal.features.registration.structs import Candidate, ClassCode, Part, Registration, School

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from portal.core.db import Connection
    from portal.features.registration.structs import Applicant

CLASS = "case when {0}.grade is not null then {0}.grade || {0}.class_letter else '' end"
ROWS = f"""
    select g.id, g.staff_id, st.login, g.way, g.state, g.project, g.role, g.last_name, g.first_name, g.middle_name, g.name_key,
           g.birth_date, g.language, g.region_code, g.school_id, g.grade, g.class_letter, g.class_code_id, g.person_id,
           g.child_agreed_at, g.made_at, g.ends_at, {NAME.format("r")} as region,
           case when sc.id is not null then {NAME.format("sc")} end as school, {NAME.format("p")} as project_name,
           {NAME.format("ro")} as role_name
    from registration g
    join staff st on st.id = g.staff_id
    join region r on r.code = g.region_code
    join project p on p.code = g.project
    join role ro on ro.code = g.role
    left join school sc on sc.id = g.school_id
"""
CODES = f"""
    select c.id, c.school_id, {NAME.format("sc")} as school, c.grade, c.class_letter, c.project, c.role,
           {NAME.format("ro")} as role_name, d.region_code, c.seed, c.uses, c.most_uses, c.made_by, st.full_name as made_by_name,
           c.ends_at, c.ended_at, c.ended_at is null and c.ends_at > now() and c.uses < c.most_uses as open
    from class_code c
    join school sc on sc.id = c.school_id
    join district d on d.id = sc.district_id
    join role ro on ro.code = c.role
    join staff st on st.id = c.made_by
"""
# Seen from a grant of a class as well as from one of a territory: ($1 country, $2 regions, $3 schools, $4 and $5 classes).
REACHED = """
    ($1 or {region} = any ($2::text[]) or {school} = any ($3::int[])
     or ({school}, {grade} || upper({letter})) in (select * from unnest($4::int[], $5::text[])))
"""


async def parts(db: Connection) -> list[Part]:
    """What one can register as: the roles of people who register, in projects that have registration switched on."""
    rows = await db.fetch(
        f"""
        select p.code as project, {NAME.format("p")} as project_name, ro.code as role, {NAME.format("ro")} as role_name
        from role ro
        join project p on p.code = ro.project
        where ro.registers and not exists (
            select 1 from project_module m where m.project = p.code and m.module = 'registration' and not m.is_on)
        order by p.place, ro.place desc, ro.code
        """
    )
    return [Part(**row) for row in rows]


async def schools(db: Connection, region: str) -> list[School]:
    """Schools of a region, by district."""
    rows = await db.fetch(
        f"""
        select s.id, {NAME.format("s")} as name, {NAME.format("d")} as district
        from school s
        join district d on d.id = s.district_id
        where d.region_code = $1
        order by kk(d.name_kk), d.id, kk(s.name_kk), s.id
        """,
        region,
    )
    return [School(**row) for row in rows]


async def insert(
    db: Connection,
    staff_id: int,
    applicant: Applicant,
    *,
    way: str,
    state: str,
    class_code_id: int | None,
    agreed: bool,
    waits: timedelta,
) -> int:
    """A registration that waits."""
    return await db.fetchval(
        """
        insert into registration (
            staff_id, way, state, project, role, last_name, first_name, middle_name, name_key, birth_date, language, region_code,
            school_id, grade, class_letter, class_code_id, child_agreed_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, case when $17 then now() end,
                now() + $18::interval)
        returning id
        """,
        *(staff_id, way, state, applicant.project, applicant.role, applicant.last_name, applicant.first_name),
        *(applicant.middle_name, fold(f"{applicant.last_name} {applicant.first_name}"), applicant.birth_date),
        *(applicant.language, applicant.region_code, applicant.school_id, applicant.grade, applicant.class_letter),
        *(class_code_id, agreed, waits),
    )


async def of_login(db: Connection, staff_id: int, *, lock: bool = False) -> Registration | None:
    """One's own."""
    end = " for no key update of g" if lock else ""
    row = await db.fetchrow(f"{ROWS} where g.staff_id = $1{end}", staff_id)
    return Registration(**row) if row else None


async def find(db: Connection, registration_id: int, *, lock: bool = False) -> Registration | None:
    """One of the territory."""
    end = " for no key update of g" if lock else ""
    row = await db.fetchrow(f"{ROWS} where g.id = $1{end}", registration_id)
    return Registration(**row) if row else None


async def set_state(db: Connection, registration_id: int, state: str, person_id: int | None, waits: timedelta) -> None:
    """It goes on, and waits anew."""
    await db.execute(
        "update registration set state = $2, person_id = $3, ends_at = now() + $4::interval where id = $1",
        *(registration_id, state, person_id, waits),
    )


async def child_agreed(db: Connection, registration_id: int) -> None:
    """The child said yes."""
    await db.execute("update registration set child_agreed_at = now() where id = $1", registration_id)


async def drop(db: Connection, registration_id: int) -> None:
    """It is over, one way or the other."""
    await db.execute("delete from registration where id = $1", registration_id)


async def waiting(
    db: Connection,
    reach: tuple[bool, list[str], list[int], list[int], list[str]],
    *,
    state: str,
    sort: str,
    limit: int,
    offset: int,
) -> tuple[list[Registration], int]:
    """A page of those that a person may decide about."""
    where = REACHED.format(region="g.region_code", school="g.school_id", grade="g.grade", letter="g.class_letter")
    orders = {
        "made": "g.made_at, g.id",
        "-made": "g.made_at desc, g.id desc",
        "name": "kk(g.last_name || ' ' || g.first_name), g.id",
        "-name": "kk(g.last_name || ' ' || g.first_name) desc, g.id desc",
    }
    total = await db.fetchval(f"select count(*) from registration g where g.state = $6 and {where}", *reach, state)
    rows = await db.fetch(
        f"{ROWS} where g.state = $6 and {where} order by {orders[sort]} limit $7 offset $8",
        *reach,
        state,
        limit,
        offset,
    )
    return [Registration(**row) for row in rows], total


async def candidates(db: Connection, registration: Registration) -> list[Candidate]:
    """Rows of the registry that may be meant, within the school."""
    rows = await db.fetch(
        f"""
        select p.id, concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, '')) as name, p.birth_date,
               {CLASS.format("p")} as class_name, p.projects, exists (select 1 from staff s where s.person_id = p.id) as has_login
        from person p
        where p.name_key = $1 and p.birth_date = $2 and p.school_id = $3 and p.status = 'active'
        order by p.id
        limit 10
        """,
        *(registration.name_key, registration.birth_date, registration.school_id),
    )
    return [Candidate(**row) for row in rows]


async def expired(db: Connection) -> list[tuple[int, int]]:
    """(registration, login) whose time is over."""
    rows = await db.fetch("select id, staff_id from registration where ends_at <= now() order by id limit 1000")
    return [(row["id"], row["staff_id"]) for row in rows]


async def insert_code(
    db: Connection,
    *,
    school_id: int,
    grade: int,
    class_letter: str,
    project: str,
    role: str,
    seed: str,
    code_hash: bytes,
    most_uses: int,
    made_by: int,
    lives: timedelta,
) -> int:
    """A code of one class; an older one of the class and role is over."""
    await db.execute(
        """
        update class_code set ended_at = now()
        where school_id = $1 and grade = $2 and class_letter = $3 and role = $4 and ended_at is null and ends_at > now()
        """,
        *(school_id, grade, class_letter, role),
    )
    return await db.fetchval(
        """
        insert into class_code (school_id, grade, class_letter, project, role, seed, code_hash, most_uses, made_by, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10::interval)
        returning id
        """,
        *(school_id, grade, class_letter, project, role, seed, code_hash, most_uses, made_by, lives),
    )


async def codes(
    db: Connection, reach: tuple[bool, list[str], list[int], list[int], list[str]], limit: int, offset: int
) -> tuple[list[ClassCode], int]:
    """Codes of classes that a person may confirm for, the newest first."""
    where = REACHED.format(region="d.region_code", school="c.school_id", grade="c.grade", letter="c.class_letter")
    total = await db.fetchval(
        f"select count(*) from class_code c join school sc on sc.id = c.school_id join district d on d.id = sc.district_id where {where}",
        *reach,
    )
    rows = await db.fetch(f"{CODES} where {where} order by c.id desc limit $6 offset $7", *reach, limit, offset)
    return [ClassCode(**row) for row in rows], total


async def find_code(db: Connection, code_id: int) -> ClassCode | None:
    """One code."""
    row = await db.fetchrow(f"{CODES} where c.id = $1", code_id)
    return ClassCode(**row) if row else None


async def code_by_hash(db: Connection, code_hash: bytes) -> ClassCode | None:
    """A code that still makes requests."""
    row = await db.fetchrow(
        f"{CODES} where c.code_hash = $1 and c.ended_at is null and c.ends_at > now() and c.uses < c.most_uses",
        code_hash,
    )
    return ClassCode(**row) if row else None


async def use_code(db: Connection, code_id: int) -> bool:
    """One more child; False: the class is full, or the code is over."""
    done = await db.fetchval(
        """
        update class_code set uses = uses + 1
        where id = $1 and uses < most_uses and ended_at is null and ends_at > now()
        returning id
        """,
        code_id,
    )
    return done is not None


async def end_code(db: Connection, code_id: int) -> bool:
    """No request by it any more; False: it was over."""
    done = await db.fetchval(
        "update class_code set ended_at = now() where id = $1 and ended_at is null and ends_at > now() returning id",
        code_id,
    )
    return done is not None


async def misses(db: Connection, place: str, within: timedelta) -> int:
    """How many codes and logins missed from a place of late."""
    return await db.fetchval(
        "select count(*) from registration_miss where place = $1 and at > now() - $2::interval", place, within
    )


async def miss(db: Connection, place: str) -> None:
    """One more."""
    await db.execute("insert into registration_miss (place) values ($1)", place)


async def forget_misses(db: Connection) -> None:
    """After a day."""
    await db.execute("delete from registration_miss where at < now() - interval '1 day'")


async def confirmers(db: Connection, registration: Registration) -> Sequence[int]:
    """Who is told of a request: the teachers of this very class, and who made the code."""
    rows = await db.fetch(
        """
        select distinct staff_id
        from (
            select g.staff_id
            from staff_grant g
            join role_permission rp on rp.role = g.role and rp.permission = 'registration.confirm'
            where g.school_id = $1 and g.class_name = $2 and g.ends_at > now() and g.asleep_at is null
            union all
            select made_by from class_code where id = $3
        ) as told (staff_id)
        order by 1
        limit 20
        """,
        *(registration.school_id, registration.class_name.upper(), registration.class_code_id),
    )
    return [row["staff_id"] for row in rows]
