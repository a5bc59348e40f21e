"""SAFETY M1: the key's second channel. A code a room, at T0 and never before it; a leaked one is noticed and closed."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest
from cryptography.exceptions import InvalidTag

from engine.bundles.cli import codes_for, pack_and_store
from engine.codes import ALPHABET
from engine.rooms.blob import draw_room_code, normalise_room_code, open_blob
from infra.local import environment
from infra.parts.supervisor import command_argv
from infra.settings import PackSettings, read
from tests.support.pupil import Pupil, Reply
from tests.support.rooms import codes, release_codes
from tests.support.sittings import make_room, make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

VECTOR = Path(__file__).parents[2] / "engine/player/vectors/room.json"
ROOMS = ("3-кабинет", "Спортзал")


@pytest.fixture
async def db(owner_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


async def move_start(db: asyncpg.Connection[asyncpg.Record], scene: Scene, by_s: int) -> None:
    """T0 lies so many seconds from now."""
    await db.execute(
        """
        update sitting
        set starts_at = now() + make_interval(secs => $2), waiting_opens_at = now() - interval '1 day',
            last_entry_at = now() + make_interval(secs => $2 + 3600)
        where id = $1
        """,
        *(scene.sitting, float(by_s)),
    )


async def signed_in_with_room(pupil: Pupil) -> Reply:
    """Signed in at a worker that has read the rooms."""

    async def known() -> Reply:
        reply = await pupil.sign_in()
        assert "exam_room" in reply
        return reply

    return await eventually(known)


async def fetch(service: str, name: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=False) as client:
        return await client.get(f"{service}/v1/bundles/{name}", headers={"connection": "close"})


def test_a_room_code_has_eighty_bits_and_shows_a_slip_of_the_finger() -> None:
    code = draw_room_code()
    assert len(code) == 17
    assert len(ALPHABET) ** 16 == 2**80
    assert normalise_room_code(f" {code[:4].lower()}-{code[4:]} ") == code
    for place in range(17):
        wrong = ALPHABET[(ALPHABET.index(code[place]) + 1) % 32]
        assert normalise_room_code(code[:place] + wrong + code[place + 1 :]) is None


def test_the_players_vector_opens() -> None:
    """The player's own code is tested against the same blob (engine/player/tests/room.test.ts)."""
    vector = json.loads(VECTOR.read_text())
    assert open_blob(vector["code"], bytes.fromhex(vector["blob"]), vector["manifest"]) == vector["keys"]


def test_so_many_codes_are_made() -> None:
    assert [codes_for(rooms) for rooms in (0, 1, 50, 51, 8000)] == [0, 6, 55, 57, 8800]


async def test_each_room_has_a_number_of_its_own_and_a_code_that_opens_its_blob_alone(
    stack: Stack, service: str, owner_url: str, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    scene = await make_sitting(stack, owner_url, pupils=3, rooms=ROOMS, reserve=True, room_codes=3)
    at_home = scene.seats[2]
    await db.execute("update participant set room_id = null where id = $1", at_home.attempt)
    numbers = await db.fetch(
        "select form_id, room_id, array_agg(number) as numbers from room_code where form_id = any($1::int[]) group by 1, 2",
        [scene.form, scene.reserve],
    )
    assert sorted((row["room_id"] or 0, row["numbers"]) for row in numbers if row["form_id"] == scene.form) == [
        (0, [3]),
        (scene.rooms[0], [1]),
        (scene.rooms[1], [2]),
    ]
    # A room that comes later has the next free number at once; where none is left, it has none.
    later = [await make_room(db, scene.sitting, scene.school, name) for name in ("Асхана", "Кітапхана")]
    assert (
        await db.fetchval("select number from room_code where room_id = $1 and form_id = $2", later[0], scene.form) == 3
    )
    assert await db.fetchval("select count(*) from room_code where room_id = $1", later[1]) == 0

    assert await release_codes(stack, scene.sitting) == 3
    clear = await codes(db, scene)
    one, other = [await signed_in_with_room(Pupil(service, seat)) for seat in scene.seats[:2]]
    assert (one["exam_room"]["number"], one["exam_room"]["name"]) == (1, ROOMS[0])
    assert one["exam_room"]["blob"] != other["exam_room"]["blob"]
    assert len(one["seed"]) == 32

    async def without_a_room() -> None:
        """At a worker that has read that this pupil sits at home now."""
        home = await Pupil(service, at_home).sign_in()
        assert not {"exam_room", "seed"} & home.keys()

    await eventually(without_a_room)

    pupil = Pupil(service, scene.seats[0])
    await pupil.sign_in()
    keys = (await pupil.start())["keys"]
    blob, manifest = (await fetch(service, one["exam_room"]["blob"])).content, one["manifest"]
    assert open_blob(clear[scene.rooms[0]], blob, manifest) == keys
    for code, bound_to in ((clear[scene.rooms[1]], manifest), (clear[scene.rooms[0]], one["reserve"])):
        with pytest.raises(InvalidTag):
            open_blob(code, blob, bound_to)
    reserve = await fetch(service, one["exam_room"]["reserve"])
    assert reserve.status_code == 200
    # The reserve form has codes of its own, and no T0 yet.
    assert await db.fetchval("select count(*) from room_code_open where form_id = $1", scene.reserve) == 0

    # Packed anew: all codes are new, the old ones are gone.
    await move_start(db, scene, 3600)
    await pack_and_store(read(PackSettings, environment(stack.home, "pack")), scene.form, rooms=4)
    assert await codes(db, scene) == {}
    assert await db.fetchval("select count(room_id) from room_code where form_id = $1", scene.form) == 4


async def test_before_t0_the_release_process_opens_nothing_whatever_one_clock_says(
    stack: Stack, owner_url: str, db: asyncpg.Connection[asyncpg.Record], tmp_path: Path
) -> None:
    scene = await make_sitting(stack, owner_url, rooms=ROOMS, starts_in_s=3600)
    sealed = await db.fetch("select sealed from room_code where form_id = $1", scene.form)
    assert await release_codes(stack, scene.sitting) == 0
    # Its own clock is hours ahead: Postgres' counts; and the other way round.
    assert await release_codes(stack, scene.sitting, ahead_ms=8 * 3600_000) == 0
    refused, file = await once(stack, scene.sitting, tmp_path / "early.csv")
    assert refused[0] == 1
    assert "until then no code exists for anybody" in refused[1]
    assert refused[1].count("\n") == 1
    assert not file.exists()
    await move_start(db, scene, -3)
    assert await release_codes(stack, scene.sitting, ahead_ms=-60_000) == 0, "its own clock is behind"
    assert await db.fetchval("select count(*) from room_code_open where form_id = $1", scene.form) == 0

    # Held back by a pause, as an engine holds the key back.
    await db.execute(
        """
        insert into control (sitting_id, scope, scope_id, version, kind, body)
        values ($1, 'school', $2, 1, 'pause', '{"since_ms": 1}')
        """,
        *(scene.sitting, str(scene.school)),
    )
    assert await release_codes(stack, scene.sitting) == 0
    await db.execute("delete from control where sitting_id = $1", scene.sitting)

    done, file = await once(stack, scene.sitting, tmp_path / "codes.csv")
    assert done[0] == 0, done
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert [row[2] for row in rows] == ["room", *sorted(ROOMS)]
    clear = await codes(db, scene)
    assert sorted(normalise_room_code(row[4]) or "" for row in rows[1:]) == sorted(clear.values())
    assert file.stat().st_mode & 0o777 == 0o600
    acts = await db.fetch("select act from audit where object_kind = 'sitting' and object_id = $1", str(scene.sitting))
    assert {row["act"] for row in acts} == {"room.codes.opened", "room.codes.written"}
    assert all(clear[room].encode() not in row["sealed"] for room in clear for row in sealed)


async def once(stack: Stack, sitting: int, out: Path) -> tuple[tuple[int, str], Path]:
    """`elumiti room-codes --once`: exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        *command_argv("room-codes", "--once", str(sitting), "--out", str(out)),
        env={"PATH": os.environ["PATH"], **environment(stack.home, "release")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    return (process.returncode, (said + complained).decode()), out


@pytest.mark.parametrize("role", ["engine", "flusher", "portal", "scoring"])
async def test_no_other_role_reads_a_sealed_code_or_writes_an_open_one(stack: Stack, role: str) -> None:
    connection = await asyncpg.connect(environment(stack.home, role)["ELUMITI_DATABASE_URL"])
    try:
        for statement in (
            "select sealed from room_code",
            "insert into room_code_open (form_id, number, code) values (1, 1, 'A')",
            "update room_code_open set code = 'A'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def opened(service: str, scene: Scene, seat: int, number: int, at_ms: int) -> tuple[Pupil, Reply]:
    """A client of its own says that it opened with a code: its first event, saved until it is in Postgres."""
    pupil = Pupil(service, scene.seats[seat])
    reply = await signed_in_with_room(pupil)
    pupil.note("opened", value={"number": number, "leg": 0, "at_ms": at_ms})
    await pupil.save_until_durable()
    return pupil, reply


async def test_opened_with_a_code_after_t0_the_attempt_has_its_start_and_its_deadline(
    stack: Stack, service: str, owner_url: str, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    scene = await make_sitting(stack, owner_url, rooms=ROOMS, starts_in_s=-60, duration_s=1800)
    starts = await db.fetchval(
        "select (extract(epoch from starts_at) * 1000)::bigint from sitting where id = $1", scene.sitting
    )
    at_ms = starts + 25_000
    pupil, _ = await opened(service, scene, 0, 1, at_ms)

    async def told() -> Reply:
        reply = await pupil.sign_in()
        assert reply["started_ms"] == at_ms
        return reply

    reply = await eventually(told)
    assert reply["deadline_ms"] == at_ms + 1800_000
    assert await db.fetchval(
        "select early is null and not foreign_number from room_opening where attempt_id = $1", pupil.attempt
    )
    # A start is never before T0 nor after the moment when the server heard of it.
    other, _ = await opened(service, scene, 1, 2, starts + 10**9)
    started, received = await db.fetchrow(
        """
        select (extract(epoch from a.started_at) * 1000)::bigint, o.received_ms
        from attempt a join room_opening o on o.attempt_id = a.id where a.id = $1
        """,
        other.attempt,
    )
    assert started == received


async def test_opened_before_t0_is_an_alarm_and_closes_that_room_s_codes(
    stack: Stack, service: str, owner_url: str, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Someone has a leaked code and a client of his own; the honest room next door keeps its code."""
    scene = await make_sitting(stack, owner_url, pupils=4, rooms=ROOMS, starts_in_s=3600)
    starts = await db.fetchval(
        "select (extract(epoch from starts_at) * 1000)::bigint from sitting where id = $1", scene.sitting
    )
    # Under the other room's number nothing is closed: a pupil must not be able to close what is not his.
    stranger, _ = await opened(service, scene, 0, 2, starts)
    assert await db.fetchval("select foreign_number from room_opening where attempt_id = $1", stranger.attempt)
    assert await db.fetchval("select count(closed_at) from room_code where form_id = $1", scene.form) == 0

    # With the phone's clock set forward he says that it is past T0: the server's own clock says when it heard of it.
    thief, before = await opened(service, scene, 2, 1, starts + 1000)
    row = await db.fetchrow(
        "select number, closed_reason, room_id from room_code where form_id = $1 and closed_at is not null", scene.form
    )
    assert row is not None
    assert tuple(row) == (1, "opened-early", scene.rooms[0])
    assert await db.fetchval("select early from room_opening where attempt_id = $1", thief.attempt) == "received"
    # The next spare number at the next sign-in, and the old blob is served no more.
    mate = Pupil(service, scene.seats[0])

    async def another_number() -> Reply:
        reply = await mate.sign_in()
        assert reply["exam_room"]["number"] == 3
        return reply

    after = await eventually(another_number)
    assert after["exam_room"]["blob"] != before["exam_room"]["blob"]

    async def gone() -> None:
        assert (await fetch(service, before["exam_room"]["blob"])).status_code == 404

    await eventually(gone)
    assert (await fetch(service, after["exam_room"]["blob"])).status_code == 200
    # Claiming it again, under the old number or the new one, uses up no more of the spares that are for everybody.
    for number in (1, 3):
        thief.note("opened", value={"number": number, "leg": 0, "at_ms": starts - 1000})
        await thief.save_until_durable()
    assert await db.fetchval("select count(*) from room_opening where attempt_id = $1", thief.attempt) == 3
    assert await db.fetchval("select count(closed_at) from room_code where form_id = $1", scene.form) == 1
    # At T0 the closed code is not opened; the others are.
    await move_start(db, scene, -1)
    assert await release_codes(stack, scene.sitting) == 2
    assert set(await codes(db, scene)) == set(scene.rooms)
