"""Opening room codes: at T0 and never before it, by the one process that can (SAFETY D3, M1).

When a room's codes may be opened is what the engines say of a key for a pupil of that school who has not started: its
own clock and Postgres' are past T0, no pause and no stop holds the start back, the entry is not over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from nacl.public import PrivateKey, SealedBox

from engine.controls import KeptControl, attempt_clock, scopes_of
from engine.roster import read_sittings
from engine.timing import Phase, phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.roster import Sitting
    from infra.database import Db

# Of one transaction: a nation's rooms take a few.
PIECE = 1000


def open_form(sitting: Sitting, controls: list[KeptControl], school: int, region: str, real_ms: int) -> int | None:
    """The form whose codes are due for a school at this time; None: not yet, held back, or not any more."""
    scopes = set(scopes_of(sitting.id, region, school, 0))
    concerning = [control for control in controls if (control.scope, control.scope_id) in scopes]
    clock = attempt_clock(concerning, extra_s=0, started_ms=None)
    if phase(sitting.now_ms(real_ms), sitting.clock, clock).phase is not Phase.OPEN:
        return None
    return sitting.forms[clock.leg] if clock.leg < len(sitting.forms) else None


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

    async def open_due(self, db: Db, number: int | None = None) -> dict[int, int]:
        """Open all codes that are due, of one sitting or of all; returns how many by sitting."""
        now_ms = await self.now_ms(db)
        opened: dict[int, int] = {}
        for sitting in await read_sittings(db, demo=self._demo):
            asked = sitting.state == "published" and number in {None, sitting.id}
            # Before its T0 nothing of it can be due: its rooms need not be read twice a second for weeks.
            if not asked or sitting.now_ms(now_ms) < sitting.clock.starts_ms:
                continue
            rows = await db.fetch(CLOSED_ROOMS, sitting.id, sitting.forms)
            if not rows:
                continue
            found = await db.fetch(CONTROLS, sitting.id)
            controls = [KeptControl(one["scope"], one["scope_id"], one["kind"], one["body"]) for one in found]
            schools = {row["school_id"]: row["region_code"] for row in rows}
            due = {school: open_form(sitting, controls, school, region, now_ms) for school, region in schools.items()}
            pairs = [(row["form_id"], row["number"]) for row in rows if row["form_id"] == due[row["school_id"]]]
            for start in range(0, len(pairs), PIECE):
                await self._open(db, sitting.id, pairs[start : start + PIECE])
            if pairs:
                opened[sitting.id] = len(pairs)
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


async def record(db: Db, act: str, sitting: int, fact: dict[str, object]) -> None:
    """Into the audit trail, as portal.core.audit.record writes it; by nobody's hand, or by whoever runs the command."""
    await db.execute(
        """
        insert into audit (acting_as, address, act, object_kind, object_id, after, previous_hash, hash)
        values ('release', '-', $1, 'sitting', $2, $3, '', '')
        """,
        *(act, str(sitting), msgspec.json.encode(fact).decode()),
    )


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
