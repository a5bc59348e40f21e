"""From a real Postgres to a recorded run: what is read, when it is refused, and that it is the same again."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.local import environment
from infra.settings import ScoringSettings, read
from scoring.artefacts import FolderStore, hash_of
from scoring.kept import RunRow, kept_run, kept_snapshot
from scoring.run import Run, compute, record, score_sitting
from scoring.snapshot import from_files, read_snapshot
from scoring.structs import Kind, NotOverError, Parameters, SnapshotError
from tests.support.sittings import Scene, make_sitting

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

HOUR_MS = 3_600_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def answer_all(owner_url: str, scene: Scene) -> None:
    """The first pupil answers A (right) everywhere; of the second, the third item is B.

    The third never comes.
    """
    start = now_ms()
    db = await asyncpg.connect(owner_url)
    try:
        for number, seat in enumerate(scene.seats[:2]):
            device = uuid.uuid4()
            await db.execute(
                "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
                *(seat.attempt, scene.sitting),
            )
            await db.execute(
                "insert into attempt_device (attempt_id, device, epoch, first_seen_ms) values ($1, $2, 1, $3)",
                *(seat.attempt, device, start),
            )
            for seq, (code, item) in enumerate(sorted(scene.items.items()), 1):
                letter = "B" if number == 1 and code == "M03" else "A"
                await db.execute(
                    """
                    insert into response_event
                        (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms, received_ms)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                    """,
                    *(
                        scene.sitting,
                        seat.attempt,
                        device,
                        seq,
                        int(Kind.ANSWER),
                        item,
                        f" {scene.options[code][letter]}\n",
                    ),
                    *(start, seq * 1000, start + seq * 1000),
                )
    finally:
        await db.close()


async def execute(url: str, statement: str, *values: object) -> None:
    db = await asyncpg.connect(url)
    try:
        await db.execute(statement, *values)
    finally:
        await db.close()


@pytest.fixture(scope="module")
def scoring_url(stack: Stack) -> str:
    """Postgres as elumiti_scoring: the role that a run has."""
    return read(ScoringSettings, environment(stack.home, "scoring")).database_url


@pytest.fixture
def scene(stack: Stack, owner_url: str, loop: Loop) -> Scene:
    """A sitting of three pupils and six items, answered by two."""
    made = loop.run(make_sitting(stack, owner_url, pupils=3), 60)
    loop.run(answer_all(owner_url, made))
    return made


def test_a_closed_sitting_is_read_and_scored(
    scene: Scene, owner_url: str, scoring_url: str, loop: Loop, tmp_path: Path
) -> None:
    """Right answers, one wrong, one absent; recorded once however often it runs.

    The files are in the store.
    """

    async def go() -> None:
        await execute(owner_url, "update sitting set state = 'closed' where id = $1", scene.sitting)
        db = await asyncpg.connect(scoring_url)
        try:
            snapshot = await read_snapshot(db, scene.sitting, now_ms())
            again = await read_snapshot(db, scene.sitting, now_ms())
            assert snapshot.files(names=True) == again.files(names=True)
            run = compute(snapshot, Parameters())
            points = dict(run.tables()["scores"].select("attempt_id", "raw").iter_rows())
            assert points == {scene.seats[0].attempt: 6.0, scene.seats[1].attempt: 5.0}
            assert run.summary.absent == 1
            store = FolderStore(tmp_path)
            first = await record(db, store, snapshot, run, made_by=None)
            second = await record(db, store, snapshot, compute(again, Parameters()), made_by=None)
            other = await record(db, store, snapshot, compute(snapshot, Parameters(hard_share=0.5)), made_by=None)
            assert (first.version, second.version, other.version) == (1, 1, 2)
            row = await db.fetchrow("select * from score_run where sitting_id = $1 and version = 1", scene.sitting)
            assert row is not None
            assert row["result_hash"] == run.result_hash
            assert json.loads(row["summary"])["scored"] == 2
            told = {name: row[name] for name in RunRow.__struct_fields__}
            assert await kept_run(store, RunRow(**told)) == first
            kept = await kept_snapshot(store, scene.sitting, run.snapshot_hash)
            assert kept.files(names=False) == snapshot.files(names=False)
            assert kept.tables["persons"].is_empty()
            folder = tmp_path / f"sittings/{scene.sitting}"
            results = {path.name: path.read_bytes() for path in (folder / "runs/0001").iterdir()}
            assert hash_of(results) == run.result_hash
            (folder / "runs/0001/scores.parquet").write_bytes(b"altered")
            with pytest.raises(SnapshotError, match="recorded"):
                await kept_run(store, RunRow(**told))
            taken = {path.name: path.read_bytes() for path in (folder / "snapshots" / run.snapshot_hash).iterdir()}
            assert compute(from_files(taken), Parameters()) == run
        finally:
            await db.close()

    loop.run(go(), 60)


def test_two_runs_at_once_take_two_numbers(
    scene: Scene, owner_url: str, scoring_url: str, loop: Loop, tmp_path: Path
) -> None:
    """Two analysts press the button together: both runs stand, each with its own files."""

    async def one(parameters: Parameters) -> Run:
        db = await asyncpg.connect(scoring_url)
        try:
            store = FolderStore(tmp_path)
            at = now_ms()
            _, run = await score_sitting(db, store, scene.sitting, parameters, now_ms=at, made_by=None)
            return run
        finally:
            await db.close()

    async def go() -> None:
        await execute(owner_url, "update sitting set state = 'closed' where id = $1", scene.sitting)
        runs = await asyncio.gather(*(one(Parameters(hard_share=share)) for share in (0.25, 0.5, 1)))
        assert sorted(run.version or 0 for run in runs) == [1, 2, 3]
        for run in runs:
            folder = tmp_path / f"sittings/{scene.sitting}/runs/{run.version:04d}"
            assert hash_of({path.name: path.read_bytes() for path in folder.iterdir()}) == run.result_hash

    loop.run(go(), 60)


def test_nobody_scores_while_somebody_may_be_writing(scene: Scene, scoring_url: str, loop: Loop) -> None:
    """Published: refused up to the last possible end with grace; past it, allowed (SAFETY J6)."""

    async def read_at(at: int) -> None:
        db = await asyncpg.connect(scoring_url)
        try:
            await read_snapshot(db, scene.sitting, at)
        finally:
            await db.close()

    with pytest.raises(NotOverError, match="close the sitting"):
        loop.run(read_at(now_ms()))
    loop.run(read_at(now_ms() + 2 * HOUR_MS + 61_000))


def test_extra_time_of_anybody_moves_the_end(scene: Scene, owner_url: str, scoring_url: str, loop: Loop) -> None:
    """An hour for one pupil is an hour more before anybody scores."""
    add = """
        insert into control (sitting_id, scope, scope_id, version, kind, body)
        values ($1, 'attempt', $2, 1, 'extra', '{"extra_s": 3600}')
    """

    async def go() -> None:
        await execute(owner_url, add, scene.sitting, str(scene.seats[0].attempt))
        db = await asyncpg.connect(scoring_url)
        try:
            with pytest.raises(NotOverError):
                await read_snapshot(db, scene.sitting, now_ms() + 2 * HOUR_MS + 61_000)
            snapshot = await read_snapshot(db, scene.sitting, now_ms() + 3 * HOUR_MS + 61_000)
            started, deadline = snapshot.tables["attempts"].row(0)[2], snapshot.tables["attempts"].row(0)[5]
            assert deadline - started == 2 * HOUR_MS
        finally:
            await db.close()

    loop.run(go())


def test_another_running_sitting_on_the_form_holds_it_back(
    scene: Scene, owner_url: str, scoring_url: str, loop: Loop
) -> None:
    """The window that was closed is not the last one of the form."""
    other = """
        insert into sitting
            (test_id, form_id, title, starts_at, waiting_opens_at, last_entry_at, duration_s, state)
        select test_id, form_id, title, now() + interval '1 hour', now(), now() + interval '2 hours', 3600,
               'published'
        from sitting where id = $1
    """

    async def go() -> None:
        await execute(owner_url, "update sitting set state = 'closed' where id = $1", scene.sitting)
        await execute(owner_url, other, scene.sitting)
        db = await asyncpg.connect(scoring_url)
        try:
            await read_snapshot(db, scene.sitting, now_ms())
        finally:
            await db.close()

    with pytest.raises(NotOverError, match="uses this form"):
        loop.run(go())


def test_an_unknown_sitting_is_said_plainly(scoring_url: str, loop: Loop) -> None:
    """One line with the remedy."""

    async def go() -> None:
        db = await asyncpg.connect(scoring_url)
        try:
            await read_snapshot(db, 10**6, now_ms())
        finally:
            await db.close()

    with pytest.raises(SnapshotError, match="no sitting"):
        loop.run(go())


def test_scoring_reads_keys_and_changes_nothing(scoring_url: str) -> None:
    """The role reads the keys; it can't write keys, events or an earlier run."""

    async def go() -> None:
        db = await asyncpg.connect(scoring_url)
        try:
            await db.fetch("select code from keys.item_key limit 1")
            for statement in (
                "update keys.item_key set points = 0",
                "update response_event set value = null",
                "delete from score_run",
                "update score_run set result_hash = ''",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await db.execute(statement)
        finally:
            await db.close()

    asyncio.run(go())
