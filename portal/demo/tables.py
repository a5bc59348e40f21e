"""The demo's rows. As the schema's owner: no role of a running process may write answer keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.demo.structs import Pupil

if TYPE_CHECKING:
    import asyncpg

    from portal.demo.structs import Form, People

TEST_CODES = {"main": "MB-2026-A", "reserve": "MB-2026-R", "practice": "MB-PRACTICE"}
HELP = ("Гүлнар Сәрсенқызы", "+7 700 000 00 11")
TITLES = {
    "finished": {
        "kk": "Мың бала: мектеп кезеңі (өткен)",
        "ru": "Мың бала: школьный этап (прошёл)",
        "en": "Myń Bala: school round (held)",
    },
    "open": {
        "kk": "Мың бала: байқау сынағы",
        "ru": "Мың бала: открытая проба",
        "en": "Myń Bala: open trial",
    },
}


class Seat(msgspec.Struct, frozen=True):
    """A pupil and his code in one sitting."""

    pupil: Pupil
    code: str
    code_hash: bytes


# Names that villages all over the country bear.
VILLAGES = (
    ("Бірлік", "Бирлик", "Birlik"), ("Ынтымақ", "Ынтымак", "Yntymak"), ("Жаңажол", "Жанажол", "Zhanazhol"),
    ("Қарасу", "Карасу", "Karasu"), ("Ақбұлақ", "Акбулак", "Akbulak"), ("Көктерек", "Коктерек", "Kokterek"),
    ("Еңбек", "Енбек", "Enbek"), ("Достық", "Достык", "Dostyk"), ("Сарыбұлақ", "Сарыбулак", "Sarybulak"),
    ("Тасбұлақ", "Тасбулак", "Tasbulak"), ("Қызылжар", "Кызылжар", "Kyzylzhar"), ("Жаңатұрмыс", "Жанатурмыс", "Zhanaturmys"),
)  # fmt: skip


async def _insert_settlements(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """A village for each school, drawn in turn; two schools of a district may share one."""
    rows = await db.fetch("select id, district_id from school where settlement_id is null order by id")
    for number, row in enumerate(rows):
        names = VILLAGES[number * 5 % len(VILLAGES)]
        await db.execute(
            """
            with made as (
                insert into settlement (district_id, kind, name_kk, name_ru, name_en) values ($1, 'village', $3, $4, $5)
                on conflict (district_id, lower(name_kk)) do update set kind = 'village'
                returning id)
            update school set settlement_id = (select id from made) where id = $2
            """,
            *(row["district_id"], row["id"], *names),
        )


async def insert_territory(db: asyncpg.Connection[asyncpg.Record], people: People) -> dict[str, int]:
    """Regions, districts, schools; returns school code → id."""
    await db.executemany(
        "insert into region (code, name_kk, name_ru, name_en) values ($1, $2, $3, $4) on conflict do nothing",
        [(region.code, region.name_kk, region.name_ru, region.name_en) for region in people.regions],
    )
    districts: dict[str, int] = {}
    for district in people.districts:
        districts[district.key] = await db.fetchval(
            """
            insert into district (region_code, name_kk, name_ru, name_en) values ($1, $2, $3, $4)
            on conflict (region_code, name_kk) do update set name_ru = excluded.name_ru
            returning id
            """,
            *(district.region_code, district.name_kk, district.name_ru, district.name_en),
        )
    schools: dict[str, int] = {}
    for school in people.schools:
        schools[school.code] = await db.fetchval(
            """
            insert into school (district_id, code, name_kk, name_ru, name_en, contact_name, contact_phone)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (code) do update set contact_name = excluded.contact_name
            returning id
            """,
            *(districts[school.district], school.code, school.name_kk, school.name_ru, school.name_en),
            *(school.contact_name, school.contact_phone),
        )
    await _insert_settlements(db)
    return schools


async def insert_form(db: asyncpg.Connection[asyncpg.Record], form: Form) -> int:
    """A test with this one form, its items, pictures and keys; the one that is there, if a fill was cut short."""
    known = await db.fetchval(
        "select f.id from form f join test t on t.id = f.test_id where t.code = $1 and f.name = $2",
        *(TEST_CODES[form.name], form.name),
    )
    if known is not None:
        return known
    test = await db.fetchval(
        "insert into test (code, title) values ($1, $2) returning id", TEST_CODES[form.name], _json(form.title)
    )
    number = await db.fetchval("insert into form (test_id, name) values ($1, $2) returning id", test, form.name)
    await db.executemany(
        "insert into form_section (form_id, number, title) values ($1, $2, $3)",
        [(number, section.number, _json(section.title)) for section in form.sections],
    )
    await db.executemany(
        """
        insert into form_item (form_id, code, section, position, kind, content, topic, skill)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [
            (
                *(number, item.code, item.section, item.position, item.content.kind),
                *(_json(item.content), item.topic, item.skill),
            )
            for item in form.items
        ],
    )
    await db.executemany(
        "insert into form_media (form_id, name, content_type, bytes) values ($1, $2, 'image/svg+xml', $3)",
        [(number, name, picture) for name, picture in form.media.items()],
    )
    await db.executemany(
        "insert into keys.item_key (form_id, code, rule, points) values ($1, $2, $3, $4)",
        [(number, item.code, _json(item.rule), item.points) for item in form.items],
    )
    return number


async def insert_sitting(
    db: asyncpg.Connection[asyncpg.Record],
    form: int,
    reserve: int,
    name: str,
    *,
    starts_at: datetime,
    duration_s: int,
    entry: timedelta = timedelta(minutes=15),
) -> int:
    """A draft sitting for all regions."""
    sitting = await db.fetchval(
        """
        insert into sitting (test_id, form_id, reserve_form_id, title, starts_at, waiting_opens_at, last_entry_at,
                             duration_s, spread_s, help_name, help_phone, rehearsed_at)
        select f.test_id, f.id, $2, $3, $4, $5, $6, $7, 5, $8, $9, now()
        from form f
        where f.id = $1
        returning id
        """,
        *(form, reserve, _json(TITLES[name]), starts_at, starts_at - timedelta(hours=1), starts_at + entry),
        *(duration_s, *HELP),
    )
    await db.execute(
        "insert into sitting_region (sitting_id, region_code) select $1, code from region order by code", sitting
    )
    return sitting


async def insert_participants(
    db: asyncpg.Connection[asyncpg.Record], sitting: int, schools: dict[str, int], seats: list[Seat]
) -> None:
    """Pupils with their codes' hashes, and the rooms in which some of them sit."""
    rooms: dict[tuple[int, str], int] = {}
    for school, name in sorted({(schools[seat.pupil.school], seat.pupil.room) for seat in seats if seat.pupil.room}):
        rooms[school, name] = await db.fetchval(
            "insert into room (sitting_id, school_id, name) values ($1, $2, $3) returning id", sitting, school, name
        )
    await db.executemany(
        """
        insert into participant (sitting_id, school_id, last_name, first_name, middle_name, birth_date, gender, grade,
                                 class_letter, room_id, language, extra_minutes, external_id, code_hash, code_version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)
        """,
        [
            (
                *(sitting, schools[seat.pupil.school], seat.pupil.last_name, seat.pupil.first_name),
                *(seat.pupil.middle_name, seat.pupil.birth_date, seat.pupil.gender, seat.pupil.grade),
                *(
                    seat.pupil.class_letter,
                    rooms.get((schools[seat.pupil.school], seat.pupil.room)),
                    seat.pupil.language,
                    seat.pupil.extra_minutes,
                ),
                *(seat.pupil.external_id, seat.code_hash),
            )
            for seat in seats
        ],
    )


async def publish(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """Open a sitting to the engines."""
    await db.execute("select make_sitting_partition($1)", sitting)
    await db.execute("update sitting set state = 'published', published_at = now() where id = $1", sitting)


async def begin_play(db: asyncpg.Connection[asyncpg.Record], sitting: int, speed: int, duration_s: int) -> None:
    """Publish the sitting on a clock that runs `speed` times as fast and meets the real one when the play is over."""
    spare_s = 25 * 60
    reference = datetime.now(UTC) + timedelta(seconds=(duration_s + spare_s) / speed + 12)
    # Ten real seconds from now, by its own clock, the test starts.
    starts_at = reference - timedelta(seconds=duration_s + spare_s)
    await db.execute(
        """
        update sitting
        set starts_at = $2::timestamptz, waiting_opens_at = $2::timestamptz - interval '1 hour',
            last_entry_at = $2::timestamptz + interval '15 minutes', demo_speed = $3, demo_reference = $4
        where id = $1
        """,
        *(sitting, starts_at, float(speed), reference),
    )
    await publish(db, sitting)


async def end_play(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """The real clock again; the sitting is over."""
    await db.execute(
        "update sitting set demo_speed = 1, demo_reference = null, state = 'closed', closed_at = now() where id = $1",
        sitting,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
