"""One picture's whole way: received, on the disk, in a segment, in the store, in the index; told as stored; read back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from infra.objects import open_bucket
from infra.settings import ObjectStore
from proctoring import index
from proctoring.segments import HEAD, HEAD_BYTES
from tests.support.waiting import eventually
from tests.support.watched import now_ms, picture

if TYPE_CHECKING:
    import asyncpg

    from infra.objects import Bucket
    from infra.parts.supervisor import Stack
    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


def store_of(stack: Stack) -> ObjectStore:
    url = f"http://127.0.0.1:{stack.home.ports.objects}"
    return ObjectStore(
        url=url, access_key=stack.secrets.objects_access_key, secret_key=stack.secrets.objects_secret_key
    )


async def read_back(stack: Stack, db: Db, row: asyncpg.Record, kek: bytes) -> bytes:
    """The plain bytes of a picture's row, through the store."""
    async with open_bucket(store_of(stack), "pictures") as bucket:
        return await read_from(bucket, db, row, kek)


async def read_from(bucket: Bucket, db: Db, row: asyncpg.Record, kek: bytes) -> bytes:
    """The same with a store that is open already: opening costs more than a thousand pictures' bytes."""
    name = await db.fetchval("select object_name from picture_segment where id = $1", row["segment_id"])
    first = row["byte_offset"] - HEAD_BYTES
    raw = await bucket.get_range(name, first, row["byte_offset"] + row["byte_length"] - 1)
    key = await index.find_key(db, row["key_id"], kek)
    assert key is not None
    return index.unsealed(raw[HEAD_BYTES:], raw[: HEAD.size], key.secret)


async def rows_of(db: Db, sitting: int, attempt: int) -> list[asyncpg.Record]:
    return await db.fetch(
        "select * from picture where sitting_id = $1 and attempt_id = $2 order by taken_ms, seq", sitting, attempt
    )


def test_pictures_give_way_to_answers(stack: Stack, ingest: str) -> None:
    """On a machine that is full of work the answers' parts get the processor first."""
    assert ingest
    nice = {
        name: os.getpriority(os.PRIO_PROCESS, stack.parts[name].pid or 0) for name in ("valkey", "pictures", "objects")
    }
    assert nice["pictures"] == nice["objects"] > nice["valkey"]


async def test_a_picture_goes_its_whole_way(stack: Stack, db: Db, begin: Begin, kek: bytes) -> None:
    scene, phone = await begin()
    answer = await phone.send(picture(1), n=1)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"received": 1, "stored": [], "every_s": 30, "most_bytes": 12288}

    async def there() -> asyncpg.Record:
        rows = await rows_of(db, scene.sitting, phone.attempt)
        assert len(rows) == 1
        return rows[0]

    row = await eventually(there)
    assert (row["seq"], row["kind"]) == (1, "snapshot")
    assert await read_back(stack, db, row, kek) == picture(1)


async def test_the_next_reply_says_what_became_stored_whichever_worker_it_is(db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    for n in (1, 2, 3):
        assert (await phone.send(n=n)).status_code == 200

    async def three() -> None:
        assert len(await rows_of(db, scene.sitting, phone.attempt)) == 3

    await eventually(three)
    told: set[int] = set()
    n = 3

    async def all_told() -> None:
        nonlocal n
        n += 1
        # A new connection may come to the other worker.
        await phone.client.aclose()
        phone.client = type(phone.client)(timeout=30)
        told.update((await phone.send(n=n)).json()["stored"])
        assert {1, 2, 3} <= told

    await eventually(all_told)


async def test_the_same_picture_again_is_stored_once(db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    at = now_ms() - 130_000
    for _ in range(2):
        assert (await phone.send(picture(5), n=5, at=at)).status_code == 200

    async def one() -> None:
        assert len(await rows_of(db, scene.sitting, phone.attempt)) == 1

    await eventually(one)
    assert (await phone.send(picture(5), n=5, at=at)).status_code == 200
    assert (await phone.send(picture(6), n=6)).status_code == 200

    async def both() -> None:
        assert [row["seq"] for row in await rows_of(db, scene.sitting, phone.attempt)] == [5, 6]

    await eventually(both)


async def test_events_come_to_the_index_once_with_all_they_say(db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    left = {"n": 1, "kind": "tab-left", "at": now_ms(), "ms": 4200}
    back = {"n": 2, "kind": "tab-back", "at": now_ms()}
    assert (await phone.tell(left, back)).json() == {"received": [1, 2]}
    assert (await phone.tell(left)).json() == {"received": [1]}

    async def there() -> None:
        rows = await db.fetch(
            "select seq, kind, data::text from watch_event where sitting_id = $1 order by seq", scene.sitting
        )
        assert [tuple(row) for row in rows] == [(1, "tab-left", '{"ms": 4200}'), (2, "tab-back", "{}")]

    await eventually(there)
