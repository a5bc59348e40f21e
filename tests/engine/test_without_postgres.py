"""A worker that starts while Postgres is away: codes, bundles and keys come from its disk (ANSWERS, «without Postgres»)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.keys import KeyRing
from engine.problems import Problem
from engine.routes.http import whose
from engine.worker import Worker
from infra.local import decode_key, environment
from infra.settings import EngineSettings, read
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.database import Db
    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin


async def test_a_worker_started_without_postgres_serves_bundles_and_keys(
    begin: Begin, stack: Stack, tmp_path: Path
) -> None:
    scene, pupil = await begin()
    manifest = (await eventually(pupil.sign_in))["manifest"]
    folder = Path(environment(stack.home, "engine")["ELUMITI_SNAPSHOT_DIR"])

    async def copied() -> Worker:
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        known = read(EngineSettings, environment(stack.home, "engine"))
        made = Worker(msgspec.structs.replace(known, database_url="postgresql://nobody@127.0.0.1:1/x"), tmp_path)
        await made.start()
        await made.close()
        assert scene.sitting in made.roster.sittings
        return made

    worker = await eventually(copied)
    assert "postgres" in worker.reasons
    assert manifest in worker.bundles.files
    assert manifest not in worker.bundles.missing
    assert worker.keys.released(scene.form) == pupil.keys["keys"]


async def test_a_worker_that_is_behind_reads_before_it_sends_a_pupil_away(
    begin: Begin, stack: Stack, tmp_path: Path
) -> None:
    """He signed in at another worker a moment ago: re-entry and the key must not wait for this one's next turn."""
    known = read(EngineSettings, environment(stack.home, "engine"))
    late = Worker(msgspec.structs.replace(known, refresh_every_s=600), tmp_path)
    await late.start()
    try:
        scene, pupil = await begin()
        claims = late.tokens.verify(f"Bearer {pupil.token}")
        assert claims
        assert claims.attempt not in late.roster.pupils
        found, sitting = await whose(late, claims)
    finally:
        await late.close()
    assert (found.attempt, sitting.id) == (pupil.attempt, scene.sitting)


async def test_a_board_that_could_not_be_read_is_read_again(begin: Begin, stack: Stack, tmp_path: Path) -> None:
    """Postgres went away just as a new sitting was taken in: its devices and starts must not stay unknown."""
    known = read(EngineSettings, environment(stack.home, "engine"))
    worker = Worker(msgspec.structs.replace(known, refresh_every_s=0.1), tmp_path)
    await worker.start()
    rebuild, asked = worker.board.rebuild, 0

    async def fails_once(db: Db, sittings: list[int], *, hurry: bool = False) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError("gone")
        await rebuild(db, sittings, hurry=hurry)

    worker.board.rebuild = fails_once
    try:
        await begin()

        async def read_again() -> None:
            assert asked > 1

        await eventually(read_again)
    finally:
        await worker.close()


def test_a_form_that_is_not_known_yet_gives_no_empty_keys() -> None:
    """A pupil at T0 hears «in two seconds», never a success without keys."""
    with pytest.raises(Problem) as caught:
        KeyRing(decode_key("A" * 43)).released(1)
    assert caught.value.code == "try-later"
