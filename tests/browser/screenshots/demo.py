"""A demo to look at: its own or one that runs, with a draft, a sitting that waits and one that runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from engine.codes import draw_code, hash_code
from infra.local import Ports, decode_key, default_home, environment
from infra.parts.unused import unused_ports
from portal.demo import tables
from portal.demo.people import draw_people
from portal.demo.seed import read_demo
from tests.browser.player.peer import Pupil
from tests.browser.screenshots.album import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.demo.seed import Demo

PORTS = Ports.__struct_fields__
FILL_LIMIT_S = 600
SITTINGS = {
    "draft": {"kk": "Мың бала: республикалық кезең", "ru": "Мың бала: республиканский этап", "en": "Myń Bala: final"},
    "waits": {"kk": "Мың бала: облыстық кезең", "ru": "Мың бала: областной этап", "en": "Myń Bala: regional round"},
    "runs": {"kk": "Мың бала: аудандық кезең", "ru": "Мың бала: районный этап", "en": "Myń Bala: district round"},
}


@dataclass
class Place:
    """A demo that runs, and what in it can be shown."""

    portal: str
    engine: str
    home: Path
    demo: Demo
    waiting: Pupil
    running: list[Pupil]
    numbers: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def own_demo() -> Iterator[tuple[str, str, Path]]:
    """`elumiti up --demo` on free ports; stopped by its own Ctrl-C, and its folder removed."""
    home = Path(tempfile.mkdtemp(prefix="elumiti-screenshots-"))
    home.chmod(0o755)
    ports = dict(zip(PORTS, unused_ports(len(PORTS)), strict=True))
    words = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    argv = [sys.executable, "-m", "infra", "up", "--demo", *words]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            argv, env={**os.environ, "ELUMITI_HOME": str(home)}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            portal = f"http://127.0.0.1:{ports['portal']}"
            say("A demo of its own is being filled (two to four minutes) …")
            until(lambda: process.poll() is not None or answers(f"{portal}/ready"))
            if process.poll() is not None:
                sys.exit(f"elumiti: the demo did not start.\n{(home / 'up.log').read_text()[-800:]}")
            yield portal, f"http://127.0.0.1:{ports['engine']}", home
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            shutil.rmtree(home, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own address)
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def until(told: Callable[[], Any], limit_s: float = FILL_LIMIT_S) -> Any:
    end = time.monotonic() + limit_s
    while not (value := told()):
        if time.monotonic() > end:
            raise TimeoutError(f"it did not come about in {limit_s:.0f} s")
        time.sleep(0.5)
    return value


async def prepare(portal: str, engine: str, home: Path, pupils: int) -> Place:
    """A draft, a sitting that waits and one that runs, on the demo's own test, with pupils whose codes are known."""
    os.environ["ELUMITI_HOME"] = str(home)
    known = default_home()
    db = await asyncpg.connect(environment(known, "owner")["ELUMITI_OWNER_DATABASE_URL"])
    try:
        demo = None
        for _ in range(FILL_LIMIT_S):
            demo = await read_demo(db)
            if demo and await db.fetchval("select 1 from score_run where sitting_id = $1", demo.played_sitting):
                break
            await asyncio.sleep(1)
        assert demo is not None
        await _score_with_quota(db, demo.played_sitting)
        await _fill_talents(db, demo.played_sitting)
        pepper = decode_key(environment(known, "portal")["ELUMITI_CODE_PEPPER"])
        forms = {row["name"]: row["id"] for row in await db.fetch("select id, name from form order by id")}
        schools = {row["code"]: row["id"] for row in await db.fetch("select id, code from school order by id")}
        people = list(draw_people().pupils)
        now = datetime.now(UTC)
        numbers: dict[str, int] = {"played": demo.played_sitting, "open": demo.open_sitting}
        slips: dict[str, list[Pupil]] = {}
        begins = {"draft": timedelta(days=20), "waits": timedelta(minutes=50), "runs": timedelta(minutes=-1)}
        for name, ahead in begins.items():
            number = await tables.insert_sitting(
                db, forms["main"], forms["reserve"], "open", starts_at=now + ahead, duration_s=3600
            )
            title = msgspec.json.encode(SITTINGS[name]).decode()
            await db.execute("update sitting set title = $2 where id = $1", number, title)
            numbers[name] = number
            if name == "draft":
                continue
            seats = [tables.Seat(one, code := draw_code(), hash_code(code, pepper)) for one in people[:pupils]]
            await tables.insert_participants(db, number, schools, seats)
            await tables.publish(db, number)
            slips[name] = [
                Pupil(0, seat.code, seat.pupil.first_name, seat.pupil.birth_date.day, seat.pupil.birth_date.month)
                for seat in seats
            ]
        numbers["pupil"] = await db.fetchval(
            "select id from participant where sitting_id = $1 order by id limit 1", demo.played_sitting
        )
        numbers["form"] = forms["main"]
        pair = await db.fetchrow("select first_id, second_id from person_twin order by first_id limit 1")
        assert pair is not None
        numbers["twin"], numbers["other_twin"] = pair["first_id"], pair["second_id"]
        numbers["person"] = pair["first_id"]
        numbers["field"] = await db.fetchval("select id from attribute_field where kind = 'choice' order by id limit 1")
        numbers["talent"] = await db.fetchval(
            "select person_id from talent where left_at is null and consent_holds(person_id, 'talents') order by id limit 1"
        )
        numbers["school"] = await db.fetchval("select school_id from participant order by id limit 1")
        numbers["machine"] = await db.fetchval("select id from machine_client order by id limit 1")
        numbers["hook"] = await db.fetchval("select id from webhook order by id limit 1")
        numbers["teacher"] = await db.fetchval("select person_id from staff where login = 'teacher'")
        numbers["document"] = await db.fetchval("select min(id) from person_document")
        # One's own card is pictured as the super-admin's, who is signed in.
        await db.execute("update staff set person_id = null where login = 'teacher'")
        await db.execute("update staff set person_id = $1 where login = 'super'", numbers["teacher"])
        numbers["registration"] = await db.fetchval("select min(id) from registration where state = 'teacher'")
        numbers["class_code"] = await db.fetchval("select min(id) from class_code")
        for name, state in (("appeal", "open"), ("answered", "upheld")):
            numbers[name] = await db.fetchval("select min(id) from watch_appeal where state = $1", state)
        numbers["case"] = await db.fetchval("select attempt_id from watch_appeal where id = $1", numbers["appeal"])
        numbers["seal"] = await db.fetchval("select min(id) from picture_seal")
        numbers["provider"] = await db.fetchval("select min(id) from signon_provider")
        numbers["system"] = await db.fetchval("select min(id) from oauth_client")
        numbers["staff"] = await db.fetchval("select id from staff where login = 'analyst2'")
    finally:
        await db.close()
    # The workers read new sittings every two seconds.
    await asyncio.sleep(6)
    return Place(portal, engine, home, demo, slips["waits"][0], slips["runs"], numbers)


async def _fill_talents(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """Publish the newest run and let the rule weigh it."""
    await db.execute(
        "update score_run set published_at = now() where id = (select max(id) from score_run where sitting_id = $1)",
        sitting,
    )
    job = await db.fetchval("insert into job (kind, payload) values ('talents-weigh', '{}') returning id")
    for _ in range(180):
        if await db.fetchval("select 1 from job where id = $1 and state = 'done'", job):
            return
        await asyncio.sleep(1)
    sys.exit("elumiti: the rules of the talents were not weighed.")


async def _score_with_quota(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """A second run with a quota list, before other sittings use the form: then nothing of it may be scored (J6)."""
    await db.execute(
        """
        insert into quota_plan (sitting_id, places, tie_at_line, from_home, reason, asked_by, agreed_by)
        select $1, (select jsonb_object_agg(region_code, 2) from sitting_region where sitting_id = $1), 'all', true,
               '№ 118 бұйрық', a.id, b.id
        from staff a, staff b
        where a.login = 'analyst' and b.login = 'analyst2'
        on conflict do nothing
        """,
        sitting,
    )
    if await db.fetchval("select max(version) from score_run where sitting_id = $1", sitting) == 1:
        await db.execute(
            "insert into job (kind, sitting_id, payload) values ('score', $1, '{\"parameters\": {}}')", sitting
        )
    for _ in range(180):
        if await db.fetchval("select 1 from score_run where sitting_id = $1 and version = 2", sitting):
            return
        await asyncio.sleep(1)
    sys.exit("elumiti: the second run of scoring did not come.")
