"""`elumiti seed`: the demo's country, its tests, a sitting that has been sat, and one that waits for the person.

It happens in two parts. The first fills the tables and takes seconds; the page can be used from then on. The second
plays the finished sitting through HTTP, sixty times as fast as life, on a clock that only a demo heeds; then scores it.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from engine.bundles.cli import pack_and_store
from engine.codes import draw_code, hash_code, show_code
from infra.errors import PlainError
from infra.local import decode_key, default_home, environment, load_secrets
from infra.settings import OwnerSettings, PackSettings, PortalSettings, ProctoringSettings, read
from loadtest.play import run as play
from loadtest.scenario import PlayPupil, Scenario
from portal.core.accounts import Place, create_staff, give_role, school_year_end
from portal.core.iin import keys_of
from portal.demo import tables
from portal.demo.alive import write_note
from portal.demo.cards import insert_cards
from portal.demo.content import load_form
from portal.demo.machines import insert_machines
from portal.demo.people import draw_people
from portal.demo.registration import insert_registrations
from portal.demo.registry import insert_registry
from portal.demo.sign_on import insert_sign_on
from portal.demo.tables import Seat
from portal.demo.talents import insert_talents
from portal.demo.watching import WATCHED, insert_watch
from portal.demo.wire import play_items

if TYPE_CHECKING:
    from engine.bundles.pack import Packed
    from portal.demo.registration import Class
    from portal.demo.structs import Form, People

SPEED = 60
DURATION_S = 3600
BESIDE = 200
# So long ago the open sitting began: the watched have sat for some minutes.
WATCHED_FOR = timedelta(minutes=20)
READ_LIMIT_S = 8
SEED = 26
# Two of them at least are spare; a form of the demo is sat in six rooms.
ROOM_CODES = 12

STAFF = (
    ("admin", "Әсел Мұратқызы Жақсылықова", "test-administrator"),
    ("admin2", "Нұрлан Болатұлы Сейітов", "test-administrator"),
    ("proctor", "Дина Ерланқызы Омарова", "proctor"),
    ("room", "Сәуле Берікқызы Тұрсынова", "room-supervisor"),
    ("analyst", "Тимур Асқарұлы Бекенов", "analyst"),
    ("analyst2", "Айгерім Сәкенқызы Тілеуова", "analyst"),
    ("super", "Ғалия Қайратқызы Нұрғалиева", "super-admin"),
    ("specialist", "Меруерт Асанқызы Қалиева", "qabilet-specialist"),
    ("sysadmin", "Бауыржан Тоқтарұлы Ысқақов", "system-admin"),
    ("coordinator", "Ержан Серікұлы Әбдіқадыров", "myn-bala-coordinator"),
    ("quality", "Болат Қайсарұлы Ахметов", "quality-manager"),
    ("safety", "Айнұр Қанатқызы Мұқанова", "child-safety-officer"),
)


class Login(msgspec.Struct, frozen=True):
    """A login that the demo prints."""

    login: str
    password: str
    name: str
    role: str


class Slip(msgspec.Struct, frozen=True):
    """A pupil's slip that the demo prints."""

    code: str
    born: str
    name: str


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo's page shows (setting `demo`)."""

    logins: list[Login]
    slips: list[Slip]
    open_sitting: int
    played_sitting: int
    played: bool = False
    class_code: str = ""


def seed() -> None:
    """Fill a one-machine demo: all tables first, then play and score a whole sitting (needs `elumiti up` beside it)."""
    home = default_home()
    if not (home.folder / "secrets.json").exists():
        raise PlainError("There is no installation here.", "Start one with `elumiti up --demo`, which seeds by itself.")
    if not load_secrets(home).demo:
        raise PlainError("This installation is not a demo.", "Invented pupils are not put beside real ones.")
    asyncio.run(fill())
    asyncio.run(play_finished())
    asyncio.run(score_finished())


def seed_tables() -> None:
    """The first part of `elumiti seed` alone; what is there stays."""
    asyncio.run(fill())


def say(demo: Demo) -> str:
    """What `elumiti up --demo` prints: who can sign in as what."""
    lines = [f"  {login.login:<9} {login.password}   {login.role}, {login.name}" for login in demo.logins]
    slips = [f"  {slip.code}   born {slip.born}   {slip.name}" for slip in demo.slips]
    return "\n".join(["Staff logins:", *lines, "Pupils' slips:", *slips, ""])


async def fill() -> Demo:
    """Territory, staff, tests, two sittings with their pupils; nothing if they are there."""
    owner = read(OwnerSettings, environment(default_home(), "owner"))
    db = await asyncpg.connect(owner.owner_database_url)
    try:
        known = await read_demo(db)
        if known is not None:
            _write_note(known)
            return known
        # Packing needs the forms to be there; a fill that is cut short after this finds them again.
        async with db.transaction():
            people = draw_people()
            schools = await tables.insert_territory(db, people)
            forms = {name: await tables.insert_form(db, load_form(name)) for name in ("main", "reserve", "practice")}
    finally:
        await db.close()
    pack = read(PackSettings, environment(default_home(), "pack"))
    packed = {
        name: await pack_and_store(pack, number, rooms=0 if name == "practice" else ROOM_CODES)
        for name, number in forms.items()
    }
    db = await asyncpg.connect(owner.owner_database_url)
    try:
        async with db.transaction():
            portal = read(PortalSettings, environment(default_home(), "portal"))
            await insert_registry(db, people, schools, keys_of(portal))
            logins = await _make_staff(db)
            registered = await insert_registrations(db, people, schools, decode_key(portal.link_key))
            logins += [Login(*one) for one in registered.logins]
            demo = await _make_sittings(db, people, schools, forms, packed, logins, registered)
            numbers = {row["login"]: row["id"] for row in await db.fetch("select login, id from staff where demo")}
            await insert_sign_on(db)
            await insert_talents(db)
            watch = read(ProctoringSettings, environment(default_home(), "proctoring"))
            children = await insert_watch(db, watch, demo.open_sitting, numbers, registered.pupil.external_id)
            write_note(default_home().folder, demo.open_sitting, children)
            await insert_machines(db, portal)
            await insert_cards(db, portal.objects, numbers)
    finally:
        await db.close()
    _write_note(demo)
    return demo


def _write_note(demo: Demo) -> None:
    """Its presence tells `elumiti up` that the tables are filled; only its owner reads it."""
    note = default_home().folder / "demo.txt"
    unfinished = note.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(say(demo))
    unfinished.replace(note)


async def read_demo(db: asyncpg.Connection[asyncpg.Record]) -> Demo | None:
    """What an earlier run made."""
    value = await db.fetchval("select value from setting where name = 'demo'")
    return None if value is None else msgspec.json.decode(value, type=Demo)


async def _make_staff(db: asyncpg.Connection[asyncpg.Record]) -> list[Login]:
    logins: list[Login] = []
    ends = school_year_end(datetime.now(UTC))
    numbers: dict[str, int] = {}
    for login, name, role in STAFF:
        password = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        numbers[login] = await create_staff(db, login=login, full_name=name, password=password, demo=True)
        logins.append(Login(login, password, name, role))
    region = await db.fetchval(
        "select d.region_code from school s join district d on d.id = s.district_id order by s.id limit 1"
    )
    for login, _, role in STAFF:
        place = Place(region=region if role.endswith("coordinator") else None)
        giver = None if login == "super" else numbers["super"]
        await give_role(db, staff_id=numbers[login], role=role, ends_at=ends, place=place, given_by=giver)
    return logins


async def _make_sittings(
    db: asyncpg.Connection[asyncpg.Record],
    people: People,
    schools: dict[str, int],
    forms: dict[str, int],
    packed: dict[str, Packed],
    logins: list[Login],
    registered: Class,
) -> Demo:
    pepper = decode_key(read(PortalSettings, environment(default_home(), "portal")).code_pepper)
    now = datetime.now(UTC)
    played = await tables.insert_sitting(
        db, forms["main"], forms["practice"], "finished", starts_at=now - timedelta(hours=2), duration_s=DURATION_S
    )
    opened = await tables.insert_sitting(
        db,
        forms["reserve"],
        forms["practice"],
        "open",
        starts_at=now - WATCHED_FOR,
        duration_s=DURATION_S,
        entry=timedelta(days=14),
    )
    random = Random(SEED)
    everybody = [
        Seat(pupil=pupil, code=(code := draw_code()), code_hash=hash_code(code, pepper)) for pupil in people.pupils
    ]
    await tables.insert_participants(db, played, schools, everybody)
    chosen = random.sample(people.pupils, BESIDE + 3 + WATCHED)
    # The watched come last; one of them is the pupil who has a login.
    if registered.pupil in chosen:
        chosen.remove(registered.pupil)
    chosen = [*chosen[: BESIDE + 2 + WATCHED], registered.pupil]
    # Of the slips that a person tries, the third is of a pupil who sits in a room.
    seated = next(place for place, pupil in enumerate(chosen) if pupil.room)
    chosen[2], chosen[seated] = chosen[seated], chosen[2]
    beside = [Seat(pupil=pupil, code=(code := draw_code()), code_hash=hash_code(code, pepper)) for pupil in chosen]
    await tables.insert_participants(db, opened, schools, beside)
    slips = [
        Slip(show_code(seat.code), seat.pupil.birth_date.isoformat(), f"{seat.pupil.last_name} {seat.pupil.first_name}")
        for seat in beside[:3]
    ]
    home = default_home()
    url = f"http://127.0.0.1:{home.ports.engine}"
    _write_scenario(home.folder, "finished", url, load_form("main"), packed["main"], everybody, SPEED)
    _write_scenario(home.folder, "open", url, load_form("reserve"), packed["reserve"], beside[3:-WATCHED], 1)
    demo = Demo(logins=logins, slips=slips, open_sitting=opened, played_sitting=played, class_code=registered.code)
    await db.execute("insert into setting (name, value) values ('demo', $1)", msgspec.json.encode(demo).decode())
    await tables.publish(db, opened)
    return demo


def _write_scenario(
    folder: Path, name: str, url: str, form: Form, packed: Packed, seats: list[Seat], speed: float
) -> None:
    """Ability by feel: a standard normal, a little better in grade 6; one in six has a line that drops."""
    random = Random(f"{SEED}-{name}")
    pupils = [
        PlayPupil(
            code=seat.code,
            day=seat.pupil.birth_date.day,
            month=seat.pupil.birth_date.month,
            ability=random.gauss(0.35 if seat.pupil.grade == 6 else -0.05, 1.0),
            pace=math.exp(random.gauss(0, 0.22)),
            language=seat.pupil.language,
            drops=random.random() < 1 / 6,
        )
        for seat in seats
    ]
    scenario = Scenario(
        base_url=url,
        speed=speed,
        save_every_s=180 if speed > 1 else 30,
        arrive_within_s=300 if speed > 1 else 900,
        seed=SEED,
        items=play_items(form, packed.item_map),
        pupils=pupils,
    )
    path = folder / f"play-{name}.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(scenario))


async def play_finished() -> None:
    """Play the finished sitting, unless it was; then its clock is the real one again and it is closed."""
    home = default_home()
    owner = read(OwnerSettings, environment(home, "owner"))
    db = await asyncpg.connect(owner.owner_database_url)
    try:
        demo = await read_demo(db)
        if demo is None or demo.played:
            return
        await tables.begin_play(db, demo.played_sitting, SPEED, DURATION_S)
        # The workers read the roster every two seconds.
        await asyncio.sleep(READ_LIMIT_S)
        told = msgspec.json.decode((home.folder / "play-finished.json").read_bytes(), type=Scenario)
        outcome = await play(told)
        if outcome.finished < len(told.pupils) / 2:
            what = f"Only {outcome.finished} pupils finished: {outcome.refused[:1]}"
            raise PlainError(what, f"See {home.folder}/log/engine.log.")
        await tables.end_play(db, demo.played_sitting)
        await db.execute(
            "update setting set value = jsonb_set(value, '{played}', 'true'), changed_at = now() where name = 'demo'"
        )
    finally:
        await db.close()


async def score_finished() -> None:
    """Score the finished sitting, so that there is a report to read at once."""
    owner = read(OwnerSettings, environment(default_home(), "owner"))
    db = await asyncpg.connect(owner.owner_database_url)
    try:
        demo = await read_demo(db)
        if demo is None or await db.fetchval("select 1 from score_run where sitting_id = $1", demo.played_sitting):
            return
        sitting = demo.played_sitting
    finally:
        await db.close()
    argv = [sys.executable, "-m", "infra", "score", str(sitting)]
    process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL)
    if await process.wait():
        raise PlainError("The finished sitting could not be scored.", f"Run `elumiti score {sitting}` to see why.")
