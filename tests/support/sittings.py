"""Sittings ready to be sat: a small form, packed for real, and pupils with codes."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from engine.bundles.cli import pack_and_store
from engine.codes import draw_code, hash_code
from infra.local import decode_key, environment
from infra.settings import PackSettings, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.parts.supervisor import Stack

numbers = itertools.count(1)


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil with his slip."""

    attempt: int
    code: str
    day: int
    month: int


class Scene(msgspec.Struct, kw_only=True):
    """A published sitting."""

    sitting: int
    form: int
    seats: list[Seat]
    items: dict[str, int]
    options: dict[str, dict[str, int]]
    reserve: int = 0
    school: int = 0
    rooms: list[int] = []


def three(text: str) -> dict[str, str]:
    """The same text in three languages, told apart by a prefix."""
    return {"kk": f"kk {text}", "ru": f"ru {text}", "en": f"en {text}"}


async def make_sitting(
    stack: Stack,
    owner_url: str,
    *,
    pupils: int = 2,
    starts_in_s: float = -5,
    last_entry_s: float = 3600,
    duration_s: int = 3600,
    grace_s: int = 60,
    ends_s: float | None = None,
    items: int = 6,
    extra_minutes: int = 0,
    reserve: bool = False,
    rooms: Sequence[str] = (),
    room_codes: int | None = None,
    spread_s: int = 60,
) -> Scene:
    """A form of single-choice items (right answer A), packed; a published sitting; pupils in one school.

    `ends_s` after the start it ends for all, whenever they started. Items are M01, M02 …; with a reserve form R01, R02 … too.
    In turn the pupils sit in `rooms`; the forms get `room_codes` codes, one more than there are rooms unless said.
    """
    mark = next(numbers)
    db = await asyncpg.connect(owner_url)
    try:
        school = await _make_school(db, mark)
        test = await db.fetchval(
            "insert into test (code, title) values ($1, $2) returning id", f"t{mark}", json.dumps(three("test"))
        )
        form = await _make_form(db, test, "A", "M", items)
        second = await _make_form(db, test, "R", "R", items) if reserve else None
        start = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=starts_in_s)
        sitting = await db.fetchval(
            """
            insert into sitting (test_id, form_id, reserve_form_id, title, waiting_opens_at, starts_at, last_entry_at,
                                 duration_s, grace_s, ends_at, spread_s, help_name, help_phone)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'Гүлнар Сәрсенқызы', '+7 700 000 00 11')
            returning id
            """,
            *(test, form, second, json.dumps(three("sitting")), start - dt.timedelta(hours=1), start),
            *(start + dt.timedelta(seconds=last_entry_s), duration_s, grace_s),
            None if ends_s is None else start + dt.timedelta(seconds=ends_s),
            spread_s,
        )
        made = [await make_room(db, sitting, school, name) for name in rooms]
    finally:
        await db.close()
    settings = read(PackSettings, environment(stack.home, "pack"))
    codes = room_codes if room_codes is not None else len(rooms) + 1 if rooms else 0
    packed = await pack_and_store(settings, form, rooms=codes)
    spare = await pack_and_store(settings, second, rooms=codes) if second else None
    db = await asyncpg.connect(owner_url)
    try:
        seats = await add_pupils(stack, db, sitting, school, pupils, extra_minutes)
        for place, seat in enumerate(seats if made else ()):
            await db.execute("update participant set room_id = $2 where id = $1", seat.attempt, made[place % len(made)])
        await db.execute("select make_sitting_partition($1)", sitting)
        await db.execute("update sitting set state = 'published', published_at = now() where id = $1", sitting)
    finally:
        await db.close()
    maps = packed.item_map | (spare.item_map if spare else {})
    return Scene(
        sitting=sitting,
        form=form,
        reserve=second or 0,
        seats=seats,
        school=school,
        rooms=made,
        items={code: item.id for code, item in maps.items()},
        options={
            code: {letter: number for letter, number in item.options.items() if isinstance(number, int)}
            for code, item in maps.items()
        },
    )


async def make_room(db: asyncpg.Connection[asyncpg.Record], sitting: int, school: int, name: str) -> int:
    """A room of a school."""
    return await db.fetchval(
        "insert into room (sitting_id, school_id, name) values ($1, $2, $3) returning id", sitting, school, name
    )


async def insert_bare_sitting(db: asyncpg.Connection[asyncpg.Record], pupils: int) -> Scene:
    """A published sitting without items, for tests of the streams."""
    mark = next(numbers)
    school = await _make_school(db, mark)
    test = await db.fetchval("insert into test (code, title) values ($1, '{}') returning id", f"t{mark}")
    form = await db.fetchval("insert into form (test_id, name) values ($1, 'A') returning id", test)
    sitting = await db.fetchval(
        """
        insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, state)
        values ($1, $2, '{}', now() - interval '1 hour', now(), now() + interval '1 hour', 3600, 'published')
        returning id
        """,
        *(test, form),
    )
    await db.execute("select make_sitting_partition($1)", sitting)
    seats = [
        Seat(attempt=row["id"], code="", day=14, month=3)
        for row in await db.fetch(
            """
            insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
            select $1, $2, 'Сәрсенов', 'Айдар', '2015-03-14', 5, 'kk', n::text from generate_series(1, $3) n
            returning id
            """,
            *(sitting, school, pupils),
        )
    ]
    return Scene(sitting=sitting, form=form, seats=seats, items={}, options={})


async def add_pupils(
    stack: Stack, db: asyncpg.Connection[asyncpg.Record], sitting: int, school: int, count: int, extra_minutes: int = 0
) -> list[Seat]:
    """Pupils with fresh codes."""
    pepper = decode_key(stack.secrets.code_pepper)
    seats: list[Seat] = []
    for _ in range(count):
        code = draw_code()
        attempt = await db.fetchval(
            """
            insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language,
                                     external_id, code_hash, extra_minutes)
            values ($1, $2, 'Сәрсенов', 'Айдар', '2015-03-14', 5, 'kk', $3, $4, $5)
            returning id
            """,
            *(sitting, school, f"e{next(numbers)}", hash_code(code, pepper), extra_minutes),
        )
        seats.append(Seat(attempt=attempt, code=code, day=14, month=3))
    return seats


async def _make_school(db: asyncpg.Connection[asyncpg.Record], mark: int) -> int:
    await db.execute(
        """
        insert into region (code, name_kk, name_ru, name_en)
        values ('KZ-10', 'Абай облысы', 'Абайская область', 'Abai Region') on conflict do nothing
        """
    )
    district = await db.fetchval(
        "insert into district (region_code, name_kk, name_ru, name_en) values ('KZ-10', $1, $1, $1) returning id",
        f"а{mark}",
    )
    return await db.fetchval(
        "insert into school (district_id, code, name_kk, name_ru, name_en) values ($1, $2, $2, $2, $2) returning id",
        *(district, f"s{mark}"),
    )


async def _make_form(db: asyncpg.Connection[asyncpg.Record], test: int, name: str, prefix: str, items: int) -> int:
    form = await db.fetchval("insert into form (test_id, name) values ($1, $2) returning id", test, name)
    await db.execute(
        "insert into form_section (form_id, number, title) values ($1, 1, $2)", form, json.dumps(three("section"))
    )
    for place in range(1, items + 1):
        await _make_item(db, form, f"{prefix}{place:02}", place)
    return form


async def _make_item(db: asyncpg.Connection[asyncpg.Record], form: int, code: str, place: int) -> None:
    options = [{"code": letter, "text": three(f"option {letter} of {code}")} for letter in "ABCD"]
    content = {"kind": "single", "prompt": three(f"<p>question {code}</p>"), "options": options}
    await db.execute(
        """
        insert into form_item (form_id, code, section, position, kind, content, topic, skill)
        values ($1, $2, 1, $3, 'single', $4, 'logic', 'order')
        """,
        *(form, code, place, json.dumps(content)),
    )
    await db.execute(
        "insert into keys.item_key (form_id, code, rule, points) values ($1, $2, $3, 1)",
        *(form, code, json.dumps({"type": "choice", "right": ["A"]})),
    )
