"""Millions of invented persons, to measure the registry with: drawn by Postgres from the demo's names.

python -m portal.demo.crowd fill 5000000   a registry of that size in the home's database; prints who may look at it
python -m portal.demo.crowd list 100000    a list to import, as CSV on the standard output
"""

from __future__ import annotations

import asyncio
import csv
import secrets
import sys
from datetime import UTC, date, datetime, timedelta
from random import Random

import asyncpg
import msgspec

from infra.local import default_home, environment, load_secrets
from infra.settings import OwnerSettings, read
from portal.core.accounts import Place, create_staff, give_role
from portal.core.iin import control_digit
from portal.core.names import fold
from portal.demo.people import DATA, draw_people
from portal.demo.tables import insert_territory

SEED = 20261127
REGION = "KZ-61"
SCHOOLS_A_DISTRICT = 90
HEAD = "last_name;first_name;middle_name;birth_date;sex;iin;language;school_code;grade;class_letter;external_id"
OWN_PUPILS = 40
BORN_FROM, BORN_DAYS = date(2006, 9, 1), 12 * 365
# Popular names are common: by the square of an even draw a third of the people share the first tenth of the names.
DRAW = """
    insert into person (last_name, first_name, middle_name, name_key, search_key, birth_date, sex, language, region_code,
                        district_id, school_id, grade, class_letter, projects, status)
    select l.name, f.name, m.name, l.key || ' ' || f.key, ' ' || l.key || ' ' || f.key || ' ' || m.key,
           date '2006-09-01' + (random() * 4380)::int, n.sex, n.language, s.region_code, s.district_id, s.school_id,
           1 + (random() * 10)::int, substr('АӘБВГ', 1 + (random() * 4)::int, 1), n.projects, n.status
    from (
        select n, case when n % 2 = 0 then 'f' else 'm' end as sex,
               case when random() < 0.75 then 'kk' when random() < 0.99 then 'ru' else 'en' end as language,
               case when random() < 0.01 then 'archived' else 'active' end as status,
               case (random() * 5)::int
                   when 0 then '{}'::text[] when 1 then '{qabilet}' when 2 then '{birge-oqy,myn-bala}' else '{myn-bala}' end
                   as projects,
               1 + (power(random(), 2) * ($1 - 1))::int as last, 1 + (power(random(), 2) * ($2 - 1))::int as first,
               1 + (power(random(), 2) * ($3 - 1))::int as middle, 1 + (random() * ($4 - 1))::int as school
        from generate_series(1, $5::int) n
        offset 0
    ) as n
    join crowd_name l on l.kind = 'surname' and l.sex = n.sex and l.place = n.last
    join crowd_name f on f.kind = 'given' and f.sex = n.sex and f.place = n.first
    join crowd_name m on m.kind = 'father' and m.sex = n.sex and m.place = n.middle
    join crowd_school s on s.place = n.school
"""


async def fill(persons: int) -> dict[str, object]:
    """Territory, staff, persons; indexes are made after the rows."""
    owner = read(OwnerSettings, environment(default_home(), "owner"))
    db = await asyncpg.connect(owner.owner_database_url)
    try:
        people = draw_people()
        await insert_territory(db, people)
        await db.execute(
            """
            insert into school (district_id, code, name_kk, name_ru, name_en)
            select d.id, 'B-' || d.id || '-' || n, '№ ' || n || ' мектеп', 'Школа № ' || n, 'School No. ' || n
            from district d, generate_series(1, $1) n
            """,
            SCHOOLS_A_DISTRICT,
        )
        counts = await _names(db)
        schools = await _schools(db)
        indexes = await db.fetch(
            "select indexdef from pg_indexes where tablename in ('person', 'person_iin') and indexdef not like '%_pkey%'"
        )
        for row in indexes:
            await db.execute(f"drop index {row['indexdef'].split(' INDEX ')[1].split(' ON ')[0]}")
        # Neither triggers nor references are asked for each of five million rows; both would say yes.
        await db.execute("set session_replication_role = replica")
        await db.execute("set maintenance_work_mem = '1GB'")
        await db.execute("select setseed(0.26)")
        await db.execute(DRAW, *counts, schools, persons, timeout=3600)
        await db.execute(
            """
            insert into person_project (person_id, project, role)
            select p.id, project, 'pupil' from person p, unnest(p.projects) as project
            """,
            timeout=3600,
        )
        await db.execute(
            """
            insert into person_iin (person_id, sealed, blind)
            select id, sha256(id::text::bytea) || '\\x00112233445566'::bytea, sha256(('b' || id)::bytea) from person
            """,
            timeout=3600,
        )
        for row in indexes:
            await db.execute(row["indexdef"], timeout=3600)
        for table in ("person", "person_project", "person_iin", "school", "district"):
            await db.execute(f"vacuum analyze {table}", timeout=3600)
        logins = await _staff(db)
        sample = await db.fetch("select last_name, first_name from person where id % 9973 = 7 order by id limit 400")
        # A school of the region whose visitor asks: two of three see it, and the third meets the wall.
        where = await db.fetchrow(
            "select region_code, district_id, school_id from person where region_code = $1 order by id limit 1", REGION
        )
        assert where is not None
        return {"logins": logins, "names": [list(row) for row in sample], **dict(where)}
    finally:
        await db.close()


async def _names(db: asyncpg.Connection[asyncpg.Record]) -> tuple[int, int, int]:
    """The stock of names with their keys; how many surnames, given names, patronymics there are of the rarer sex."""
    await db.execute("create temp table crowd_name (kind text, sex text, place int, name text, key text)")
    with (DATA / "names.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    records: list[tuple[str, str, int, str, str]] = []
    random = Random(SEED)
    fewest: dict[str, int] = {}
    for kind, sex in (
        ("surname", "f"),
        ("surname", "m"),
        ("given", "f"),
        ("given", "m"),
        ("father", "f"),
        ("father", "m"),
    ):
        wanted = ("given", "m") if kind == "father" else (kind, sex)
        names = [row["kk"] for row in rows if (row["kind"], row["gender"]) == wanted]
        random.shuffle(names)
        if kind == "father":
            names = [f"{name}{'қызы' if sex == 'f' else 'ұлы'}" for name in names]
        records += [(kind, sex, place, name, fold(name)) for place, name in enumerate(names, 1)]
        fewest[kind] = min(fewest.get(kind, len(names)), len(names))
    await db.copy_records_to_table("crowd_name", records=records)
    await db.execute("create index on crowd_name (kind, sex, place)")
    await db.execute("analyze crowd_name")
    return fewest["surname"], fewest["given"], fewest["father"]


async def _schools(db: asyncpg.Connection[asyncpg.Record]) -> int:
    await db.execute(
        """
        create temp table crowd_school as
        select row_number() over (order by s.id)::int as place, s.id as school_id, s.district_id, d.region_code
        from school s join district d on d.id = s.district_id
        """
    )
    await db.execute("create index on crowd_school (place)")
    await db.execute("analyze crowd_school")
    return await db.fetchval("select count(*) from crowd_school")


async def _staff(db: asyncpg.Connection[asyncpg.Record]) -> list[dict[str, str]]:
    """One of the country, one of a region, one of a school; one with own pupils alone, one with both of the last."""
    school = await db.fetchrow("select s.id from school s order by s.id limit 1")
    assert school is not None
    logins: list[dict[str, str]] = []
    kinds = (
        ("country", [Place()]),
        ("region", [Place(region=REGION)]),
        ("school", [Place(school=school["id"])]),
        ("pupils", [Place(own_pupils=True)]),
        ("school and pupils", [Place(school=school["id"]), Place(own_pupils=True)]),
    )
    for name, places in kinds:
        password = secrets.token_urlsafe(12)
        login = f"bench-{name.replace(' ', '-')}"
        staff = await create_staff(db, login=login, full_name=f"Өлшеуші ({name})", password=password, demo=True)
        ends = datetime.now(UTC) + timedelta(days=1)
        for place in places:
            await give_role(db, staff_id=staff, role="test-administrator", ends_at=ends, place=place)
        if places[-1].own_pupils:
            await _attach(db, staff)
        logins.append({"name": name, "login": login, "password": password})
    return logins


async def _attach(db: asyncpg.Connection[asyncpg.Record], staff: int) -> None:
    """The login's holder is somebody, and some dozens all over the country are his pupils."""
    await db.execute(
        """
        with holder as (
            update staff set person_id = (
                select min(id) from person where id not in (select person_id from staff where person_id is not null))
            where id = $1
            returning person_id
        )
        insert into person_tie (holder_id, attached_id, kind, since, made_by)
        select h.person_id, p.id, 'teacher', '2026-01-01', $1
        from holder h
        cross join lateral (
            select id from person where id > h.person_id and id % 997 = h.person_id % 997 order by id limit $2) p
        """,
        *(staff, OWN_PUPILS),
    )


def write_list(rows: int) -> None:
    """A list as schools send it: every person with an IIN that holds, one row in two hundred with a slip."""
    random = Random(SEED)
    with (DATA / "names.csv").open(encoding="utf-8", newline="") as file:
        names = list(csv.DictReader(file))
    stock = {
        (kind, sex): [row["kk"] for row in names if (row["kind"], row["gender"]) == (kind, sex)]
        for kind in ("given", "surname")
        for sex in "fm"
    }
    schools = [school.code for school in draw_people().schools]
    lines = [HEAD]
    for number in range(rows):
        sex = "fm"[number % 2]
        born = BORN_FROM + timedelta(days=random.randrange(BORN_DAYS))
        while True:
            eleven = f"{born:%y%m%d}{'6' if sex == 'f' else '5'}{random.randrange(10_000):04d}"
            digit = control_digit(eleven)
            if digit is not None:
                break
        shown = f"{born:%d.%m.%Y}" if number % 200 else f"{born:%d.%m.%y}"
        lines.append(
            ";".join(
                (
                    *(random.choice(stock["surname", sex]), random.choice(stock["given", sex])),
                    *("", shown, sex, f"{eleven}{digit}", random.choice(("қаз", "қаз", "рус")), random.choice(schools)),
                    *(str(random.randrange(1, 12)), random.choice("АӘБ"), f"B{number:07d}"),
                )
            )
        )
    sys.stdout.buffer.write(("\n".join(lines) + "\n").encode())


def main() -> int:
    """What the module's docstring says."""
    what, how_many = sys.argv[1], int(sys.argv[2])
    if what == "list":
        write_list(how_many)
        return 0
    if not load_secrets(default_home()).demo:
        sys.exit("elumiti: this installation is not a demo; invented persons are not put beside real ones.")
    sys.stdout.write(msgspec.json.encode(asyncio.run(fill(how_many))).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
