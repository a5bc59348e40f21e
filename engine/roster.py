"""What a worker knows by heart: codes, sittings, forms. Read once, followed by change, with a snapshot on disk.

Sign-in, the release of keys and saves ask nothing of Postgres (ANSWERS: «without Postgres»); a worker that starts while
Postgres is away reads the snapshot of the last one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
import time
from typing import TYPE_CHECKING, BinaryIO

import msgspec
import structlog

from engine.timing import SittingClock
from infra.breath import breathe, rows_in_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import asyncpg

    from infra.database import Db

log = structlog.get_logger()


class Pupil(msgspec.Struct, gc=False, array_like=True):
    """A participant as the engine needs him. `birth` is month · 100 + day."""

    attempt: int
    sitting: int
    school: int
    birth: int
    extra_s: int
    language: str
    first_name: str
    locked: bool
    # When a person let the next device in (SAFETY J4); a snapshot of an earlier version does not say.
    devices_freed_ms: int = 0
    # 0: at home.
    room: int = 0
    # Until when his pictures may be taken, Unix seconds: his camera consent (SAFETY P6). 0: none holds.
    camera_until_s: int = 0


class Room(msgspec.Struct, gc=False, array_like=True):
    """A room of a sitting. `codes`: form → the number of its open code there, and the name of the blob that it opens."""

    name: str
    codes: dict[int, tuple[int, str]]


class Watch(msgspec.Struct, array_like=True):
    """How a sitting is proctored."""

    every_s: int
    most_bytes: int
    identity: bool
    screen: bool
    keep_days: int


class Sitting(msgspec.Struct, array_like=True, kw_only=True):
    """A sitting as the engine needs it."""

    id: int
    project: str
    title: dict[str, str]
    languages: list[str]
    clock: SittingClock
    spread_s: int
    state: str
    help_name: str
    help_phone: str
    forms: list[int]
    demo_speed: float
    demo_reference_ms: int
    # None: it is not proctored.
    watch: Watch | None = None

    def now_ms(self, real_ms: int) -> int:
        """The sitting's time: the real one, but for a sitting that a demo plays."""
        if self.demo_speed == 1:
            return real_ms
        return round(self.demo_reference_ms + (real_ms - self.demo_reference_ms) * self.demo_speed)


class Form(msgspec.Struct, array_like=True, kw_only=True):
    """A packed form: ids of its items, and its keys still sealed (SAFETY D3)."""

    id: int
    manifest: str
    items: list[int]
    sealed_keys: dict[str, bytes]
    # Name of the file that holds the rooms' blobs; "": it has none.
    room_blobs: str = ""


class SnapshotHead(msgspec.Struct, array_like=True):
    """What lies on disk for a start without Postgres, before its pupils."""

    sittings: dict[int, Sitting]
    forms: dict[int, Form]
    regions: dict[int, str]
    seen_xmin: int
    pupils: int
    rooms: dict[int, Room] = {}
    closed_blobs: set[str] = set()


# As much as is written at a stretch: a save goes round the loop some five times, and waits for a piece in each.
WRITTEN = 100
WRITINGS_REST = 2
WRITTEN_APART_S = 0.5
frame_size = struct.Struct(">I")
decode_piece = msgspec.msgpack.Decoder(list[tuple[bytes, Pupil]]).decode


class Roster:
    """The tables of one worker. `refresh` follows Postgres; look-ups are plain dictionaries."""

    def __init__(self, folder: Path, *, demo: bool) -> None:
        self._path = folder / "roster.msgpack"
        self._demo = demo
        self.codes: dict[bytes, Pupil] = {}
        self.pupils: dict[int, Pupil] = {}
        self.sittings: dict[int, Sitting] = {}
        self.forms: dict[int, Form] = {}
        self.items: dict[int, frozenset[int]] = {}
        self.regions: dict[int, str] = {}
        self.rooms: dict[int, Room] = {}
        # Blobs whose code leaked: served no more.
        self.closed_blobs: set[str] = set()
        self.changed: list[Pupil] = []
        self.read_at = 0.0
        self._code_of: dict[int, bytes] = {}
        self._seen_xmin = 0
        self._codes_seen = -1
        self._regions_mark: asyncpg.Record | None = None
        self._unwritten = asyncio.Event()

    def load_snapshot(self) -> bool:
        """Start from the disk; False if there is no snapshot that can be read."""
        try:
            with self._path.open("rb") as file:
                head = msgspec.msgpack.decode(_frame(file), type=SnapshotHead)
                pupils: list[tuple[bytes, Pupil]] = []
                while len(pupils) < head.pupils:
                    pupils += decode_piece(_frame(file))
        except (OSError, msgspec.DecodeError):
            return False
        self.sittings, self.forms, self.regions = head.sittings, head.forms, head.regions
        self.rooms, self.closed_blobs = head.rooms, head.closed_blobs
        self._seen_xmin = head.seen_xmin
        self.changed = []
        self._take(pupils)
        self._index_items()
        return True

    async def write_for_ever(self) -> None:
        """Keep the disk's copy, beside all else: a pupil at the door waits for no writing.

        A large roster is not written for each change: a writing is followed by a rest twice as long.
        """
        while True:
            await self._unwritten.wait()
            self._unwritten.clear()
            began = time.monotonic()
            try:
                await self.write()
            except OSError as error:
                log.warning("engine.snapshot.not_written", reason=str(error))
                self._unwritten.set()
            await asyncio.sleep(max(WRITTEN_APART_S, WRITINGS_REST * (time.monotonic() - began)))

    async def write(self) -> None:
        """Write the disk's copy; atomic, readable by its owner only (it holds keyed hashes and first names)."""
        # Copied as it lies in memory; a list of 300 000 pairs would be made at one stretch.
        pupils = self.codes.copy()
        head = SnapshotHead(
            self.sittings, self.forms, self.regions, self._seen_xmin, len(pupils), self.rooms, self.closed_blobs
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        waiting = self._path.with_suffix(f".{os.getpid()}")
        try:
            with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for piece in itertools.chain([msgspec.msgpack.encode(head)], _pieces(pupils)):
                    file.write(frame_size.pack(len(piece)) + piece)
                    await breathe()
            waiting.replace(self._path)
        finally:
            waiting.unlink(missing_ok=True)

    async def refresh(self, db: Db, *, hurry: bool = False) -> None:
        """Follow Postgres; what changed is written to the disk by and by. `hurry`: nobody is served yet."""
        self.changed = []
        async with db.transaction(isolation="repeatable_read", readonly=True):
            before = set(self.sittings)
            xmin = int(await db.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text"))
            sittings = {sitting.id: sitting for sitting in await read_sittings(db, demo=self._demo)}
            forms = {form.id: form for form in await _read_forms(db, sittings.values())}
            regions_changed = await self._refresh_regions(db, hurry=hurry)
            rooms_changed = await self._refresh_rooms(db, list(sittings), new=bool(set(sittings) - before), hurry=hurry)
            # A form before who sits it, a pupil before his sitting: nobody meets half of what he needs.
            self.forms = self.forms | forms
            wanted = list(sittings), list(set(sittings) - before), str(self._seen_xmin)
            async for rows in rows_in_pieces(db, PUPILS, *wanted, hurry=hurry):
                self._take([(row["code_hash"], _pupil(row)) for row in rows])
        self.sittings, self.forms = sittings, forms
        self._seen_xmin = xmin
        self._index_items()
        self.read_at = time.time()
        if self.changed or rooms_changed or regions_changed or set(sittings) != before:
            self._unwritten.set()

    async def _refresh_regions(self, db: Db, *, hurry: bool) -> bool:
        """Read in which region each school lies, when one has changed: thousands of rows that hardly ever do."""
        mark = await db.fetchrow(REGIONS_MARK)
        if mark == self._regions_mark:
            return False
        regions: dict[int, str] = {}
        async for rows in rows_in_pieces(db, REGIONS, hurry=hurry):
            regions |= {row["id"]: row["region_code"] for row in rows}
        self.regions, self._regions_mark = regions, mark
        return True

    async def _refresh_rooms(self, db: Db, sittings: list[int], *, new: bool, hurry: bool) -> bool:
        """Read rooms and their codes, when one of them has changed: thousands of rows that mostly stay as they are."""
        row = await db.fetchrow(CODES_CHANGED, str(self._seen_xmin))
        assert row is not None
        if not (new or row["changed"] or row["codes"] != self._codes_seen):
            return False
        self._codes_seen = row["codes"]
        rooms: dict[int, Room] = {}
        async for rows in rows_in_pieces(db, ROOMS, sittings, hurry=hurry):
            for row in rows:
                room = rooms.setdefault(row["id"], Room(row["name"], {}))
                if row["number"] is not None:
                    room.codes[row["form_id"]] = (row["number"], row["blob"])
        closed = await db.fetch("select blob from room_code where closed_at is not null order by form_id, number")
        self.rooms, self.closed_blobs = rooms, {row["blob"] for row in closed}
        return True

    def _take(self, pupils: Iterable[tuple[bytes | None, Pupil]]) -> None:
        for code, pupil in pupils:
            self.changed.append(pupil)
            old = self._code_of.pop(pupil.attempt, None)
            if old is not None and old != code:
                # A reprinted slip has a new code; the old one is dead from now on.
                self.codes.pop(old, None)
            self.pupils[pupil.attempt] = pupil
            if code is not None:
                self.codes[code] = pupil
                self._code_of[pupil.attempt] = code

    def _index_items(self) -> None:
        self.items = {
            sitting.id: frozenset(
                item for form in sitting.forms if form in self.forms for item in self.forms[form].items
            )
            for sitting in self.sittings.values()
        }

    def items_of_form(self, form: int) -> frozenset[int]:
        """Wire ids of a form's items."""
        return frozenset(self.forms[form].items) if form in self.forms else frozenset()


async def read_sittings(db: Db, *, demo: bool) -> list[Sitting]:
    """All sittings that are published or closed, of the last 40 days."""
    rows = await db.fetch(SITTINGS)
    return [
        Sitting(
            id=row["id"],
            project=row["project"],
            title=msgspec.json.decode(row["title"], type=dict[str, str]),
            languages=row["languages"],
            clock=SittingClock(
                waiting_opens_ms=row["waiting_opens_ms"],
                starts_ms=row["starts_ms"],
                last_entry_ms=row["last_entry_ms"],
                duration_s=row["duration_s"],
                ends_ms=row["ends_ms"],
                grace_s=row["grace_s"],
            ),
            spread_s=row["spread_s"],
            state=row["state"],
            help_name=row["help_name"],
            help_phone=row["help_phone"],
            forms=[form for form in (row["form_id"], row["reserve_form_id"]) if form is not None],
            # Only a demo has a clock of its own; anywhere else the column is not heeded.
            demo_speed=row["demo_speed"] if demo else 1.0,
            demo_reference_ms=row["demo_reference_ms"] or 0,
            watch=_watch(row) if row["every_s"] is not None else None,
        )
        for row in rows
    ]


async def live_sittings(db: Db) -> list[int]:
    """Their numbers."""
    return [row["id"] for row in await db.fetch(f"select id from sitting where {LIVE}")]


def _pieces(pupils: dict[bytes, Pupil]) -> Iterator[bytes]:
    pairs = iter(pupils.items())
    while piece := list(itertools.islice(pairs, WRITTEN)):
        yield msgspec.msgpack.encode(piece)


def _frame(file: BinaryIO) -> bytes:
    """The next piece of a snapshot; one that was cut off is a DecodeError."""
    size = file.read(frame_size.size)
    if len(size) < frame_size.size:
        raise msgspec.DecodeError("the snapshot ends too early")
    return file.read(frame_size.unpack(size)[0])


def _watch(row: asyncpg.Record) -> Watch:
    return Watch(row["every_s"], row["most_bytes"], row["identity"], row["screen"], row["keep_days"])


def _pupil(row: asyncpg.Record) -> Pupil:
    return Pupil(
        attempt=row["id"],
        sitting=row["sitting_id"],
        school=row["school_id"],
        birth=row["birth"],
        extra_s=60 * row["extra_minutes"],
        language=row["language"],
        first_name=row["first_name"],
        locked=row["locked"],
        devices_freed_ms=row["devices_freed_ms"],
        room=row["room_id"],
        camera_until_s=row["camera_until_s"],
    )


async def _read_forms(db: Db, sittings: Iterable[Sitting]) -> list[Form]:
    wanted = sorted({form for sitting in sittings for form in sitting.forms})
    packs = await db.fetch(
        """
        select form_id, manifest, item_map, room_blobs from form_pack where form_id = any($1::int[]) order by form_id
        """,
        wanted,
    )
    keys = await db.fetch(
        """
        select form_id, section, language, sealed
        from form_key
        where form_id = any($1::int[])
        order by form_id, section, language
        """,
        wanted,
    )
    sealed: dict[int, dict[str, bytes]] = {}
    for key in keys:
        sealed.setdefault(key["form_id"], {})[f"{key['section']}/{key['language']}"] = key["sealed"]
    return [
        Form(
            id=pack["form_id"],
            manifest=pack["manifest"],
            items=[item.id for item in msgspec.json.decode(pack["item_map"], type=dict[str, _MappedItem]).values()],
            sealed_keys=sealed.get(pack["form_id"], {}),
            room_blobs=pack["room_blobs"],
        )
        for pack in packs
    ]


class _MappedItem(msgspec.Struct):
    id: int


# Of those before nobody asks an engine any more.
LIVE = "state in ('published', 'closed') and starts_at > now() - interval '40 days'"

SITTINGS = f"""
    select s.id, s.project, s.title, t.languages, s.duration_s, s.grace_s, s.spread_s, s.state, s.help_name, s.help_phone,
           s.form_id, s.reserve_form_id, s.demo_speed,
           (extract(epoch from s.waiting_opens_at) * 1000)::bigint as waiting_opens_ms,
           (extract(epoch from s.starts_at) * 1000)::bigint as starts_ms,
           (extract(epoch from s.last_entry_at) * 1000)::bigint as last_entry_ms,
           (extract(epoch from s.ends_at) * 1000)::bigint as ends_ms,
           (extract(epoch from s.demo_reference) * 1000)::bigint as demo_reference_ms,
           w.every_s, w.most_bytes, w.identity, w.screen, w.keep_days
    from sitting s
    join test t on t.id = s.test_id
    left join sitting_watch w on w.sitting_id = s.id
    where {LIVE}
    order by s.id
"""

PUPILS = """
    select id, sitting_id, school_id, first_name, language, extra_minutes, code_hash, locked_at is not null as locked,
           (extract(month from birth_date) * 100 + extract(day from birth_date))::int as birth,
           coalesce((extract(epoch from devices_freed_at) * 1000)::bigint, 0) as devices_freed_ms,
           coalesce(room_id, 0) as room_id,
           case when c.until is null then 0 else extract(epoch from least(c.until, timestamptz '2100-01-01'))::bigint end
               as camera_until_s
    from participant p
    left join lateral (select until from camera_consent where person_id = p.person_id) c on true
    where sitting_id = any($1::int[]) and (sitting_id = any($2::int[]) or changed_in >= $3::text::xid8)
"""

CODES_CHANGED = """
    select count(*) as codes, coalesce(bool_or(changed_in >= $1::text::xid8), false) as changed from room_code
"""

ROOMS = """
    select r.id, r.name, c.form_id, c.number, c.blob
    from room r
    join sitting s on s.id = r.sitting_id
    left join room_code c on c.room_id = r.id and c.form_id in (s.form_id, s.reserve_form_id) and c.closed_at is null
    where r.sitting_id = any($1::int[])
    order by r.id, c.form_id
"""

REGIONS_MARK = """
    select count(*), bit_xor(hashtextextended(s.id || d.region_code, 0))
    from school s
    join district d on d.id = s.district_id
"""

REGIONS = "select s.id, d.region_code from school s join district d on d.id = s.district_id order by s.id"
