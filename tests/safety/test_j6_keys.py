"""SAFETY J6, D5: an answer key lies readable in the scoring schema and nowhere else, not even in the results' store."""

from __future__ import annotations

import io
import time
import uuid
from typing import TYPE_CHECKING, Any

import aioboto3
import asyncpg
import msgspec
import polars as pl
import pytest
from botocore.config import Config

from infra.local import environment
from infra.settings import ObjectStore, PortalSettings, ScoringSettings, read
from scoring.kept import kept_snapshot
from scoring.rules import TextRule
from scoring.run import compute
from scoring.sealed import score_store
from scoring.snapshot import from_files
from scoring.structs import Parameters, SnapshotError
from tests.infra.conftest import elumiti
from tests.support.sittings import Scene, make_sitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop


async def everything(store: ObjectStore) -> AsyncIterator[tuple[str, bytes]]:
    """Every object of every bucket that a credential reaches."""
    session: Any = aioboto3.Session()
    keys = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
    config = Config(signature_version="s3v4")
    async with session.client("s3", endpoint_url=store.url, region_name=store.region, config=config, **keys) as client:
        for bucket in (await client.list_buckets())["Buckets"]:
            name = bucket["Name"]
            async for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
                for item in page.get("Contents", []):
                    answer = await client.get_object(Bucket=name, Key=item["Key"])
                    yield f"{name}/{item['Key']}", await answer["Body"].read()


def words(body: bytes) -> str:
    """A file's own bytes as text and, of a table, every cell: its columns are compressed."""
    plain = body.decode("latin-1")
    if not body.startswith(b"PAR1"):
        return plain
    table = pl.read_parquet(io.BytesIO(body))
    binary = pl.selectors.binary()
    cells = b"".join(cell for column in table.select(binary) for cell in column.drop_nulls())
    return plain + cells.decode("latin-1") + table.select(~binary).write_json()


async def test_with_the_portal_s_credential_no_object_tells_a_key(stack: Stack, loop: Loop, owner_url: str) -> None:
    canary = f"canary{uuid.uuid4().hex}"
    scene = await _scene(stack, owner_url, canary)
    done = elumiti("score", str(scene.sitting), environ=environment(stack.home, "scoring"))
    assert done.returncode == 0, done.stderr
    portal = read(PortalSettings, environment(stack.home, "portal"))
    found: list[str] = []
    async for name, body in everything(portal.objects):
        assert canary not in words(body), name
        assert canary.encode() not in body, name
        found.append(name)
    assert any(
        f"sittings/{scene.sitting}/snapshots/" in name and name.endswith("/keys.parquet.sealed") for name in found
    )
    assert any(f"sittings/{scene.sitting}/runs/0001/" in name for name in found)


async def test_scoring_opens_what_it_sealed_and_computes_the_same_again(stack: Stack, owner_url: str) -> None:
    canary = f"canary{uuid.uuid4().hex}"
    scene = await _scene(stack, owner_url, canary)
    given = environment(stack.home, "scoring")
    assert elumiti("score", str(scene.sitting), environ=given).returncode == 0
    db = await asyncpg.connect(owner_url)
    row = await db.fetchrow("select snapshot_hash, result_hash from score_run where sitting_id = $1", scene.sitting)
    await db.close()
    assert row is not None
    settings = read(ScoringSettings, given)
    async with score_store(settings) as store:
        snapshot = await kept_snapshot(store, scene.sitting, row["snapshot_hash"])
        at = f"sittings/{scene.sitting}/snapshots/{row['snapshot_hash']}/keys.parquet"
        body = await store.get(at)
        assert body is not None
        assert canary in words(body)
        before = dict([pair async for pair in everything(settings.objects)])
        await store.put(at, body)
        assert dict([pair async for pair in everything(settings.objects)]) == before
    again = compute(snapshot, Parameters())
    assert again.result_hash == row["result_hash"]
    # Five items are right; the sixth asks for the canary.
    assert again.tables()["scores"]["right"].to_list() == [5]
    other = msgspec.structs.replace(settings, score_key="A" * 43)
    async with score_store(other) as store:
        with pytest.raises(SnapshotError, match="ELUMITI_SCORE_KEY"):
            await store.get(at)


async def test_a_copy_without_keys_shows_a_run_and_computes_none(stack: Stack, owner_url: str) -> None:
    """What the portal loads; and what somebody has who copied the folder out of the store."""
    scene = await _scene(stack, owner_url, f"canary{uuid.uuid4().hex}")
    assert elumiti("score", str(scene.sitting), environ=environment(stack.home, "scoring")).returncode == 0
    portal = read(PortalSettings, environment(stack.home, "portal"))
    mark = f"/sittings/{scene.sitting}/snapshots/"
    files = {name.rsplit("/", 1)[1]: body async for name, body in everything(portal.objects) if mark in name}
    shown = from_files(files, keys=False)
    assert shown.tables["keys"].is_empty()
    assert not shown.tables["places"].is_empty()
    with pytest.raises(SnapshotError, match="no answer keys"):
        compute(shown, Parameters())
    with pytest.raises(SnapshotError, match="answer keys sealed"):
        from_files(files)
    with pytest.raises(SnapshotError, match="SHA256SUMS"):
        from_files(files | {"places.parquet": files["items.parquet"]}, keys=False)


async def _scene(stack: Stack, owner_url: str, canary: str) -> Scene:
    """A closed sitting with one pupil's answers, whose sixth item asks for a word: the canary."""
    scene = await make_sitting(stack, owner_url, pupils=1)
    seat, start = scene.seats[0], time.time_ns() // 1_000_000
    device = uuid.uuid4()
    db = await asyncpg.connect(owner_url)
    try:
        rule = msgspec.json.encode(TextRule((canary,))).decode()
        await db.execute("update keys.item_key set rule = $2 where form_id = $1 and code = 'M06'", scene.form, rule)
        await db.execute(
            "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
            *(seat.attempt, scene.sitting),
        )
        await db.execute(
            "insert into attempt_device (attempt_id, device, epoch, first_seen_ms) values ($1, $2, 1, $3)",
            *(seat.attempt, device, start),
        )
        await db.executemany(
            """
            insert into response_event
                (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms, received_ms)
            values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)
            """,
            [
                (scene.sitting, seat.attempt, device, seq, item, str(scene.options[code]["A"]), start, seq, start + seq)
                for seq, (code, item) in enumerate(sorted(scene.items.items()), 1)
            ],
        )
        await db.execute("update sitting set state = 'closed' where id = $1", scene.sitting)
    finally:
        await db.close()
    return scene
