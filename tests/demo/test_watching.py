"""The demo's watched children: their pictures open through the look service, and every room after the sitting has its rows."""

from __future__ import annotations

import contextlib
import io
import time
from random import Random
from typing import TYPE_CHECKING, Any

import asyncpg
from aiohttp.test_utils import make_mocked_request
from PIL import Image

from infra.local import decode_key, environment
from infra.settings import PortalSettings, ProctoringSettings, read
from portal.core.accounts import create_staff
from portal.core.accounts.structs import Scope
from portal.core.iin import keys_of
from portal.demo import tables
from portal.demo.alive import HANDFUL, Watched, send
from portal.demo.content import load_form
from portal.demo.people import draw_people
from portal.demo.pictures import KINDS, MOST_BYTES, draw_room
from portal.demo.registry import insert_registry
from portal.demo.tables import Seat
from portal.demo.watching import VERDICTS, WATCHED, insert_watch
from portal.features.proctoring import queries
from proctoring.look.serve import Look, Pictures
from proctoring.store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

    Db = asyncpg.Connection[asyncpg.Record]

COUNTS = {
    "children": "select count(distinct attempt_id) from picture where sitting_id = $1",
    "from the future": "select count(*) from picture where sitting_id = $1 and taken_ms > extract(epoch from clock_timestamp()) * 1000",
    "back before gone": """
        select count(*) from watch_event b
        where b.sitting_id = $1 and b.kind = 'tab-back' and (
            select count(*) from watch_event l
            where l.sitting_id = $1 and l.attempt_id = b.attempt_id and l.kind = 'tab-left' and l.at_ms <= b.at_ms) < (
            select count(*) from watch_event o
            where o.sitting_id = $1 and o.attempt_id = b.attempt_id and o.kind = 'tab-back' and o.at_ms <= b.at_ms)
    """,
    "faces": "select count(*) from picture where sitting_id = $1 and kind = 'identity'",
    "sealed": "select count(*) from picture where sitting_id = $1 and sealed_at is not null",
    "settled": "select count(distinct attempt_id) from watch_ruling where sitting_id = $1",
    "waiting appeals": "select count(*) from watch_appeal where sitting_id = $1 and state = 'open'",
    "upheld": "select count(*) from watch_appeal where sitting_id = $1 and state = 'upheld'",
    "evidence": "select count(*) from watch_evidence e join participant p on p.id = e.attempt_id where p.sitting_id = $1",
    # Who reads the trail may be asked for a second opinion.
    "verdicts in the trail": """
        select count(*) from audit a join participant p on p.id::text = a.object_id
        where p.sitting_id = $1 and a.object_kind = 'participant' and a.act = 'watch.verdict.said'
    """,
    "told by the trail": """
        select count(*) from audit a join participant p on p.id::text = a.object_id
        where p.sitting_id = $1 and a.object_kind = 'participant' and a.act like 'watch.%'
            and (a.reason <> '' or a.after::text ~ 'breach|unclear|fine')
    """,
    "notes": "select count(*) from watch_case_note n join participant p on p.id = n.attempt_id where p.sitting_id = $1",
}


class OneConnection:
    """A pool of the one connection whose transaction is taken back."""

    def __init__(self, db: Db) -> None:
        self._db = db

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Db]:
        yield self._db


def test_pictures_are_light_and_of_every_kind() -> None:
    """As phones send them, and no two kinds alike."""
    drawn = {kind: draw_room(3, kind) for kind in KINDS}
    assert len(set(drawn.values())) == len(KINDS)
    assert all(len(body) <= MOST_BYTES and Image.open(io.BytesIO(body)).size == (320, 240) for body in drawn.values())


def test_a_proctor_of_the_demo_sees_a_childs_picture(stack: Stack, loop: Loop, owner_url: str) -> None:
    """Sealed under the keys of this installation: the wall's tile names a picture, the look service opens it."""
    portal = read(PortalSettings, environment(stack.home, "portal"))
    watch = read(ProctoringSettings, environment(stack.home, "proctoring"))

    async def run(db: Db) -> tuple[dict[str, int], float, int, bytes, int]:
        opened, staff, pupil = await scene(db, portal)
        began = time.monotonic()
        children = await insert_watch(db, watch, opened, staff, pupil)
        took = time.monotonic() - began
        counts = {name: await db.fetchval(sql, opened) for name, sql in COUNTS.items()}
        await queries.take(db, opened, staff["proctor"], Scope(country=True), None, WATCHED)
        child = await db.fetchrow(
            """
            select p.attempt_id, p.seq, p.taken_ms from picture p
            join watch_hand h on h.attempt_id = p.attempt_id and h.staff_id = $2
            where p.sitting_id = $1 and p.sealed_at is null order by p.attempt_id, p.taken_ms desc limit 1
            """,
            *(opened, staff["proctor"]),
        )
        assert child is not None
        async with open_store(watch.objects, watch.picture_bucket) as store:
            kek = decode_key(watch.picture_kek)
            pictures: Any = Pictures(OneConnection(db), store, kek)  # type: ignore[arg-type]
            look = Look(watch, pictures)
            request = make_mocked_request(
                "GET",
                f"/v1/look/{opened}/{child['attempt_id']}/{child['seq']}?at={child['taken_ms']}&by=proctor",
                headers={"authorization": f"Bearer {watch.look_key}"},
                match_info={
                    "sitting": str(opened),
                    "attempt": str(child["attempt_id"]),
                    "seq": str(child["seq"]),
                },
            )
            answer: Any = await look.look(request)
        reviewed = await db.fetchval("select count(*) from watch_score where sitting_id = $1 and score >= 20", opened)
        # The cameras go on: of those in somebody's hands, never of who has handed in.
        watched, keys, random = Watched(opened, children), {}, Random(1)
        await db.execute("delete from watch_hand")
        calm = children[40:43]
        await db.executemany(
            "insert into watch_hand (attempt_id, sitting_id, staff_id) values ($1, $2, $3)",
            [(one, opened, staff["proctor"]) for one in calm],
        )
        await db.execute("update attempt set finished_at = now() where id = $1", calm[2])
        before = await db.fetchval("select count(*) from picture_key where sitting_id = $1", opened)
        first, second = [await send(db, watch, watched, keys, random) for _ in range(2)]
        assert first == second
        assert len(first) == HANDFUL
        assert first[:2] == calm[:2]
        assert calm[2] not in first
        assert children[-1] not in first, "erased"
        known = await db.fetchval("select count(*) from picture_key where sitting_id = $1", opened)
        assert known - before == HANDFUL, "a key for each child, not for each picture"
        tiles = await queries.tiles(db, opened, staff["proctor"], time.time_ns() // 1_000_000)
        assert {one.attempt: one.state for one in tiles} == dict(
            zip(calm, ("writing", "writing", "finished"), strict=True)
        )
        assert all(one.fresh_ms and one.fresh_ms > (time.time() - 30) * 1000 for one in tiles[:2])
        return counts, took, answer.status, answer.body, reviewed

    async def taken_back() -> tuple[dict[str, int], float, int, bytes, int]:
        db = await asyncpg.connect(owner_url)
        turn = db.transaction()
        await turn.start()
        try:
            return await run(db)
        finally:
            await turn.rollback()
            await db.close()

    counts, took, status, body, flagged = loop.run(taken_back(), 120)
    assert counts == {
        "children": WATCHED,
        "from the future": 0,
        "back before gone": 0,
        "faces": WATCHED,
        "sealed": 1,
        "settled": 3,
        "waiting appeals": 1,
        "upheld": 1,
        "evidence": 2,
        "verdicts in the trail": len(VERDICTS),
        "told by the trail": 0,
        "notes": 2,
    }
    assert status == 200
    assert Image.open(io.BytesIO(body)).size == (320, 240)
    assert 5 <= flagged <= WATCHED / 2
    assert took < 10


async def scene(db: Db, portal: PortalSettings) -> tuple[int, dict[str, int], str]:
    """A registry, a sitting, the staff that says something; which pupil has a login."""
    people = draw_people()
    schools = await tables.insert_territory(db, people)
    await insert_registry(db, people, schools, keys_of(portal))
    form = await tables.insert_form(db, load_form("reserve"))
    now = await db.fetchval("select now()")
    opened = await tables.insert_sitting(db, form, form, "open", starts_at=now, duration_s=3600)
    seats = [
        Seat(pupil=one, code="", code_hash=bytes([number // 256, number % 256]) * 16)
        for number, one in enumerate(people.pupils[:90])
    ]
    await tables.insert_participants(db, opened, schools, seats)
    logins = ("admin", "admin2", "proctor", "quality", "safety")
    # The text of the consent names who wrote it down by its login.
    await db.execute("update staff set login = login || '-before' where login = 'admin'")
    staff = {
        name: await create_staff(
            db, login=name if name == "admin" else f"demo-watch-{name}", full_name=name, password="-" * 12
        )
        for name in logins
    }
    return opened, staff, people.pupils[70].external_id
