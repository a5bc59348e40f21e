"""The short form of `make chaos`: one case with a small nation, so that the cases and their ledger do not rot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from loadtest.chaos import kills, pictures
from loadtest.chaos.case import NATION, Case, run_case

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

SMALL = msgspec.structs.replace(NATION, candidates=240, minutes=0.35, save_every_s=2.0, connections=40)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_flusher_that_dies_between_copy_and_commit_loses_and_doubles_nothing() -> None:
    case = Case(name="short", told="the flusher dies at its commit", deed=kills.kill_flusher_at_commit, nation=SMALL)
    outcome = await run_case(case, quiet=True)
    assert outcome.notes["killed at the commit"], "the trigger never held a commit"
    assert outcome.acked > SMALL.candidates
    assert outcome.clean, msgspec.json.encode(outcome).decode()


@pytest.mark.wide
@pytest.mark.timeout(240)
async def test_an_ingest_that_is_killed_while_it_writes_loses_and_doubles_no_picture() -> None:
    async def kill_once(stack: Stack) -> None:
        await pictures.kill_workers(stack, times=2)

    case = pictures.PictureCase(name="short", told="the ingest dies twice", deed=kill_once, trouble_s=9)
    outcome = await pictures.run_case(case)
    assert outcome.acked > 1000
    assert outcome.clean, msgspec.json.encode(outcome).decode()
