"""Opening room codes: at T0 and never before it, by the one process that can (SAFETY D3, M1).

When a room's codes may be opened is what the engines say of a key for a pupil of that school who has not started: its
own clock and Postgres' are past T0, no pause and no stop holds the start back, the entry is not over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from nacl.public import PrivateKey, SealedBox

from engine.controls import attempt_clock, scopes_of
from engine.timing import Phase, SittingClock, phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.database import Db

# Of one transaction: a nation's rooms take a few.
PIECE = 1000


class Control(msgspec.Struct, frozen=True):
    """A control as `engine.controls` folds it."""

    scope: str
    scope_id: str
    kind: str
    body: str


class Standing(msgspec.Struct, frozen=True):
    """A sitting as the release needs it."""

    id: int
    forms: list[int]
    clock: SittingClock
    controls: list[Control]
    demo_speed: float
    demo_reference_ms: int

    def now_ms(self, real_ms: int) -> int:
        """The sitting's time: the real one, but for a sitting that a demo plays."""
        if self.demo_speed == 1:
            return real_ms
        return round(self.demo_reference_ms + (real_ms - self.demo_reference_ms) * self.demo_speed)

    def open_form(self, school: int, region: str, real_ms: int) -> int | None:
        """The form whose codes are due for a school at this time; None: not yet, held back, or not any more."""
        scopes = set(scopes_of(self.id, region, school, 0))
        concerning = [control for control in self.controls if (control.scope, control.scope_id) in scopes]
        clock = attempt_clock(concerning, extra_s=0, started_ms=None)
        if phase(self.now_ms(real_ms), self.clock, clock).phase is not Phase.OPEN:
            return None
        return self.forms[clock.leg] if clock.leg < len(self.forms) else None


class Release:
    """Opens what is due. `own_ms`: this machine's clock in Unix milliseconds."""

    def __init__(self, private_key: bytes, *, demo: bool, own_ms: Callable[[], int] | None = None) -> None:
        self._box = SealedBox(PrivateKey(private_key))
        self._demo = demo
        self._own_ms = own_ms or (lambda: time.time_ns() // 1_000_000)

    async def now_ms(self, db: Db) -> int:
        """The earlier of our own clock and Postgres'."""
        theirs = await db.fetchval("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
        return min(self._own_ms(), theirs)

    async def open_due(self, db: Db, sitting: int | None = None) -> dict[int, int]:
        """Open all codes that are due, of one sitting or of all; returns how many by sitting."""
        now_ms = await self.now_ms(db)
        opened: dict[int, int] = {}
        for standing in await self._standings(db, now_ms, sitting):
            rows = await db.fetch(CLOSED_ROOMS, standing.id, standing.forms)
            schools = {row["school_id"]: row["region_code"] for row in rows}
            due = {school: standing.open_form(school, region, now_ms) for school, region in schools.items()}
            pairs = [(row["form_id"], row["number"]) for row in rows if row["form_id"] == due[row["school_id"]]]
            for start in range(0, len(pairs), PIECE):
                await self._open(db, standing.id, pairs[start : start + PIECE])
            if pairs:
                opened[standing.id] = len(pairs)
        return opened

    async def _open(self, db: Db, sitting: int, pairs: list[tuple[int, int]]) -> None:
        async with db.transaction():
            rows = await db.fetch(SEALED, [form for form, _ in pairs], [number for _, number in pairs])
            codes = [self._box.decrypt(row["sealed"]).decode() for row in rows]
            await db.execute(
                """
                insert into room_code_open (form_id, number, code)
                select * from unnest($1::int[], $2::int[], $3::text[])
                on conflict do nothing
                """,
                *([row["form_id"] for row in rows], [row["number"] for row in rows], codes),
            )
            await record(db, "room.codes.opened", sitting, {"codes": len(rows)})

    async def _standings(self, db: Db, now_ms: int, sitting: int | None) -> list[Standing]:
        rows = await db.fetch(SITTINGS, sitting)
        standings: list[Standing] = []
        for row in rows:
            standing = Standing(
                row["id"],
                [form for form in (row["form_id"], row["reserve_form_id"]) if form is not None],
                SittingClock(
                    waiting_opens_ms=row["waiting_opens_ms"],
                    starts_ms=row["starts_ms"],
                    last_entry_ms=row["last_entry_ms"],
                    duration_s=row["duration_s"],
                    ends_ms=row["ends_ms"],
                    grace_s=row["grace_s"],
                ),
                [],
                row["demo_speed"] if self._demo else 1.0,
                row["demo_reference_ms"] or 0,
            )
            # Nothing of it can be due: its rooms need not be read twice a second for weeks.
            if standing.now_ms(now_ms) >= standing.clock.starts_ms:
                found = await db.fetch(CONTROLS, standing.id)
                controls = [Control(one["scope"], one["scope_id"], one["kind"], one["body"]) for one in found]
                standings.append(msgspec.structs.replace(standing, controls=controls))
        return standings


async def record(db: Db, act: str, sitting: int, fact: dict[str, object]) -> None:
    """Into the audit trail, as portal.core.audit.record writes it; by nobody's hand, or by whoever runs the command."""
    await db.execute(
        """
        insert into audit (acting_as, address, act, object_kind, object_id, after, previous_hash, hash)
        values ('release', '-', $1, 'sitting', $2, $3, '', '')
        """,
        *(act, str(sitting), msgspec.json.encode(fact).decode()),
    )


SITTINGS = """
    select s.id, s.form_id, s.reserve_form_id, s.duration_s, s.grace_s, s.demo_speed,
           (extract(epoch from s.waiting_opens_at) * 1000)::bigint as waiting_opens_ms,
           (extract(epoch from s.starts_at) * 1000)::bigint as starts_ms,
           (extract(epoch from s.last_entry_at) * 1000)::bigint as last_entry_ms,
           (extract(epoch from s.ends_at) * 1000)::bigint as ends_ms,
           (extract(epoch from s.demo_reference) * 1000)::bigint as demo_reference_ms
    from sitting s
    where s.state = 'published' and ($1::int is null or s.id = $1)
        and exists (select 1 from room r where r.sitting_id = s.id)
    order by s.id
"""

CLOSED_ROOMS = """
    select c.form_id, c.number, r.school_id, d.region_code
    from room r
    join room_code c on c.room_id = r.id and c.form_id = any($2::int[]) and c.closed_at is null
    join school sc on sc.id = r.school_id
    join district d on d.id = sc.district_id
    where r.sitting_id = $1
        and not exists (select 1 from room_code_open o where o.form_id = c.form_id and o.number = c.number)
    order by c.form_id, c.number
"""

SEALED = """
    select c.form_id, c.number, c.sealed
    from unnest($1::int[], $2::int[]) as w (form_id, number)
    join room_code c using (form_id, number)
    where c.closed_at is null
    order by c.form_id, c.number
"""

CONTROLS = """
    select scope, scope_id, kind, body from control where sitting_id = $1 and scope <> 'attempt' order by version
"""
