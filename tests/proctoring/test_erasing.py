"""SAFETY R3: one child of a thousand in a segment is erased; nobody reads it again, everybody else is readable."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from infra.local import database_url
from infra.objects import open_bucket
from infra.parts import postgres
from proctoring import erasure, index
from proctoring.keys import KeyRing, WrongKeyError
from proctoring.segments import HEAD, HEAD_BYTES
from proctoring.spool import Spool
from proctoring.store import object_name
from tests.proctoring.test_line import read_back, read_from, rows_of, store_of
from tests.support.waiting import eventually
from tests.support.watched import Phone, consented, now_ms, picture

if TYPE_CHECKING:
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]

CHILDREN = 1000


async def send_all(stack: Stack, sitting: int, attempts: list[int]) -> list[Phone]:
    first = Phone(stack, attempts[0], sitting)
    phones = [first, *(Phone(stack, attempt, sitting, client=first.client) for attempt in attempts[1:])]
    gate = asyncio.Semaphore(40)

    async def one(phone: Phone) -> None:
        async with gate:
            assert (await phone.send(picture(phone.attempt % 400, side=48), n=1)).status_code == 200

    await asyncio.gather(*(one(phone) for phone in phones))
    return phones


async def put_down(db: Db, sitting: int, count: int) -> list[asyncpg.Record]:
    async def all_there() -> list[asyncpg.Record]:
        rows = await db.fetch("select * from picture where sitting_id = $1 order by attempt_id", sitting)
        assert len(rows) == count
        return rows

    return await eventually(all_there, limit_s=30)


async def gone(db: Db, sitting: int, attempt: int | None) -> None:
    async def done() -> None:
        assert await db.fetchval(
            "select erased_at is not null from picture_erasure where sitting_id = $1 and attempt_id is not distinct from $2",
            *(sitting, attempt),
        )

    await eventually(done, limit_s=20)


def dump_and_restore(stack: Stack, owner_url: str) -> str:
    """A backup as docs/operations says to make it (no keys of pictures in it), in a database of its own; its URL."""
    binaries, _, user = postgres._place(stack.home)
    without = ["--exclude-table-data=picture_key", "--exclude-table-data=picture_sitting_key"]
    dump = [str(binaries / "pg_dump"), "-Fc", *without, f"--dbname={owner_url}"]
    # Through pipes: the account of the binaries may not enter the folders of whoever runs the tests.
    backup = subprocess.run(dump, check=True, user=user, cwd="/", capture_output=True).stdout
    assert len(backup) > 1000
    url = owner_url.rsplit("/", 1)[0] + "/restored"
    restore = [str(binaries / "pg_restore"), "--no-owner", f"--dbname={url}"]
    # Grants on what is there already are no failure.
    subprocess.run(restore, check=False, user=user, cwd="/", capture_output=True, input=backup)
    return url


@pytest.mark.slow
async def test_one_of_a_thousand_is_erased_everywhere(
    stack: Stack, owner_url: str, db: Db, begin: Begin, proctoring: str, kek: bytes, tmp_path: Path
) -> None:
    scene, _ = await begin(pupils=CHILDREN)
    attempts = [seat.attempt for seat in scene.seats]
    await send_all(stack, scene.sitting, attempts)
    rows = await put_down(db, scene.sitting, CHILDREN)
    # A thousand looks of the checks are nobody's matter here, and the next test would wait for them.
    await db.execute("delete from picture_to_check where sitting_id = $1", scene.sitting)
    target = next(row for row in rows if row["attempt_id"] == attempts[500])
    beside = [row for row in rows if row["segment_id"] == target["segment_id"] and row is not target]
    assert beside
    assert await read_back(stack, db, target, kek) == picture(attempts[500] % 400, side=48)
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    await postgres.make_database(stack.home, stack.secrets, "restored")
    backup = await asyncio.to_thread(dump_and_restore, stack, owner_url)
    keys_before = await db.fetch(
        "select id, attempt_id, sitting_id, wrapped from picture_key where sitting_id = $1", scene.sitting
    )

    await db.execute(
        "insert into watch_flood (attempt_id, sitting_id, left_out) select unnest($2::bigint[]), $1, 3",
        *(scene.sitting, attempts),
    )
    await erasure.ask(db, scene.sitting, target["attempt_id"], "asked", "head")
    await gone(db, scene.sitting, target["attempt_id"])

    # Database: no key, no row, no score; the others' are all there.
    for table in ("picture_key", "picture", "watch_score", "watch_flood"):
        attempt_ids = {
            row["attempt_id"]
            for row in await db.fetch(f"select attempt_id from {table} where sitting_id = $1", scene.sitting)
        }
        assert attempt_ids == set(attempts) - {target["attempt_id"]}, table
    # Store: the bytes are there and are noise, with every key that is left.
    async with open_bucket(store_of(stack), "pictures") as bucket:
        name = await db.fetchval("select object_name from picture_segment where id = $1", target["segment_id"])
        first = target["byte_offset"] - HEAD_BYTES
        raw = await bucket.get_range(name, first, target["byte_offset"] + target["byte_length"] - 1)
    assert await index.find_key(db, target["key_id"], kek) is None
    left = [
        await index.find_key(db, row["id"], kek) for row in keys_before if row["attempt_id"] != target["attempt_id"]
    ]
    assert len(left) >= CHILDREN - 1
    for key in left:
        assert key is not None
        with pytest.raises(InvalidTag):
            index.unsealed(raw[HEAD_BYTES:], raw[: HEAD.size], key.secret)
    # Spool: no file of any process names the attempt's key.
    (gone_key,) = [row for row in keys_before if row["attempt_id"] == target["attempt_id"]]
    for path in stack.home.part("pictures").glob("*/*"):
        if path.is_file():
            assert gone_key["id"] not in path.read_bytes(), path
    # The restored backup: it has the index's row, and no key.
    old = await asyncpg.connect(backup)
    assert await old.fetchval("select count(*) from picture where attempt_id = $1", target["attempt_id"]) == 1
    assert await old.fetchval("select count(*) from picture_key") == 0
    assert await index.find_key(old, target["key_id"], kek) is None
    await old.close()
    # The other 999 are read as before.
    async with open_bucket(store_of(stack), "pictures") as bucket:
        for row in rows:
            if row is not target:
                assert await read_from(bucket, db, row, kek) == picture(row["attempt_id"] % 400, side=48)
    # And he sends nothing more.
    answer = await Phone(stack, target["attempt_id"], scene.sitting).send()
    assert answer.json()["code"] == "camera-consent-needed"


async def test_keys_that_come_back_with_a_backup_are_dropped_again(
    stack: Stack, db: Db, begin: Begin, proctoring: str, kek: bytes
) -> None:
    """The table's own dump, seven days old, brings a key back, and the mark with it is older than the erasing."""
    scene, phone = await begin()
    await send_all(stack, scene.sitting, [phone.attempt])
    (row,) = await put_down(db, scene.sitting, 1)
    dumped = await db.fetchrow("select * from picture_key where attempt_id = $1", phone.attempt)
    assert dumped is not None
    await erasure.ask(db, scene.sitting, phone.attempt, "asked", "head")
    await gone(db, scene.sitting, phone.attempt)
    # Back to the days before: key there, mark not.
    await db.execute("delete from picture_erasure where attempt_id = $1", phone.attempt)
    await db.execute(
        "insert into picture_key (id, attempt_id, sitting_id, wrapped) values ($1, $2, $3, $4)",
        *(dumped["id"], dumped["attempt_id"], dumped["sitting_id"], dumped["wrapped"]),
    )
    assert await index.find_key(db, row["key_id"], kek) is not None
    async with open_bucket(store_of(stack), "pictures") as bucket:
        assert await erasure.mark_again(db, bucket) >= 1
        await erasure.carry_out(db, bucket)
    assert await index.find_key(db, row["key_id"], kek) is None


async def test_a_sitting_s_term_takes_all_but_what_an_open_case_holds(
    stack: Stack, db: Db, begin: Begin, proctoring: str, kek: bytes
) -> None:
    scene, held = await begin(pupils=3, keep_days=1)
    attempts = [seat.attempt for seat in scene.seats]
    await send_all(stack, scene.sitting, attempts)
    rows = await put_down(db, scene.sitting, 3)
    await db.execute(
        "insert into picture_hold (attempt_id, sitting_id, reason) values ($1, $2, 'appeal')",
        held.attempt,
        scene.sitting,
    )
    await db.execute(
        """
        update sitting
        set starts_at = now() - interval '9 days', waiting_opens_at = now() - interval '10 days',
            last_entry_at = now() - interval '8 days'
        where id = $1
        """,
        scene.sitting,
    )
    await erasure.mark_what_is_due(db)
    mine = next(row for row in rows if row["attempt_id"] == held.attempt)

    async def others_gone() -> None:
        left = await db.fetch("select attempt_id from picture_key where sitting_id = $1", scene.sitting)
        assert [row["attempt_id"] for row in left] == [held.attempt]

    await eventually(others_gone, limit_s=20)
    assert await read_back(stack, db, mine, kek) == picture(held.attempt % 400, side=48)
    segments = {row["segment_id"] for row in rows}
    await db.execute("update picture_hold set released_at = now() where attempt_id = $1", held.attempt)
    await gone(db, scene.sitting, None)
    # The sitting's key, the rows and the bytes themselves are gone, for nobody else's lay beside them.
    assert await db.fetchval("select count(*) from picture_sitting_key where sitting_id = $1", scene.sitting) == 0
    assert await rows_of(db, scene.sitting, held.attempt) == []
    async with open_bucket(store_of(stack), "pictures") as bucket:
        for segment in segments:
            name, erased = await db.fetchrow(
                "select object_name, erased_at from picture_segment where id = $1", segment
            )
            if erased is not None:
                assert await bucket.get(name) is None
        assert (
            await db.fetchval("select count(*) from picture_segment_sitting where sitting_id = $1", scene.sitting) == 0
        )


async def test_a_segment_that_comes_again_brings_nothing_back(
    stack: Stack, db: Db, begin: Begin, proctoring: str, kek: bytes, tmp_path: Path
) -> None:
    """Died between the index and its own disk: the next process finds the file, and what was erased since stays erased."""
    scene, phone = await begin()
    closed: list[Path] = []
    spool = Spool(
        tmp_path, KeyRing(), kek, closed.append, segment_bytes=2**23, segment_s=60, most_bytes=2**30, free_bytes=0
    )
    await spool.join(1, phone.attempt, scene.sitting, 1, now_ms(), now_ms(), picture(1))
    await spool.close()
    (segment,) = closed

    async def left_behind_by_a_dead_process() -> None:
        folder = stack.home.part("pictures") / uuid.uuid4().hex
        shutil.copytree(spool.folder, folder)

        async def taken() -> None:
            assert not list(stack.home.part("pictures").glob(f"*/{segment.name}"))

        await eventually(taken, limit_s=20)

    await left_behind_by_a_dead_process()
    (row,) = await put_down(db, scene.sitting, 1)
    assert await read_back(stack, db, row, kek) == picture(1)
    await erasure.ask(db, scene.sitting, None, "asked", "head")
    await gone(db, scene.sitting, None)
    async with open_bucket(store_of(stack), "pictures") as bucket:
        assert await bucket.get(object_name(segment.stem)) is None
        await left_behind_by_a_dead_process()
        assert await bucket.get(object_name(segment.stem)) is None


async def test_a_consent_withdrawn_for_an_hour_erases_unless_something_holds_it(
    stack: Stack, db: Db, begin: Begin, kek: bytes
) -> None:
    scene, phone = await begin()
    await send_all(stack, scene.sitting, [phone.attempt])
    await put_down(db, scene.sitting, 1)
    consent, staff, person = await consented(db, phone)

    async def marked() -> bool:
        await erasure.mark_what_is_due(db)
        return bool(await db.fetchval("select true from picture_erasure where attempt_id = $1", phone.attempt))

    withdraw = "update consent set withdrawn_at = now() - $3::interval, withdrawn_by = $2 where id = $1"
    await db.execute(withdraw, consent, staff, dt.timedelta(minutes=50))
    assert not await marked()
    await db.execute(withdraw, consent, staff, dt.timedelta(minutes=70))
    await db.execute(
        """
        insert into erasure (person_id, purpose, due_at, held_as, held_until, held_by)
        values ($1, 'camera', now() + interval '14 days', 'appeal', current_date + 5, $2)
        """,
        *(person, staff),
    )
    assert not await marked()
    await db.execute("update erasure set held_until = current_date - 2 where person_id = $1", person)
    await db.execute(
        "insert into picture_hold (attempt_id, sitting_id, reason) values ($1, $2, 'case')",
        phone.attempt,
        scene.sitting,
    )
    assert not await marked()
    await db.execute("update picture_hold set released_at = now() where attempt_id = $1", phone.attempt)
    assert await marked()


async def test_no_key_opens_under_another_s_wrapping(db: Db, begin: Begin, stack: Stack, kek: bytes) -> None:
    scene, phone = await begin()
    await send_all(stack, scene.sitting, [phone.attempt])
    (row,) = await put_down(db, scene.sitting, 1)
    with pytest.raises(WrongKeyError):
        await index.find_key(db, row["key_id"], bytes(32))
    await db.execute("update picture_key set attempt_id = attempt_id + 1 where id = $1", row["key_id"])
    with pytest.raises(WrongKeyError):
        await index.find_key(db, row["key_id"], kek)


def test_proctoring_alone_holds_the_key_of_keys(stack: Stack, owner_url: str) -> None:
    assert database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"]) == owner_url
    from infra.settings import PROCESSES

    holders = {name for name, kind in PROCESSES.items() if "picture_kek" in kind.__struct_fields__}
    assert holders == {"proctoring"}
