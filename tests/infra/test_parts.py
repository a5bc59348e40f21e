"""A part of a stack: never twice under one name, the engine patient, the flusher after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest

from infra.errors import PlainError
from infra.local import Home, Ports
from infra.parts.supervisor import pictures_argv
from infra.parts.unused import free_ports

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


async def test_a_part_that_runs_is_not_started_beside_itself(stack: Stack) -> None:
    """Two would share the port without a word, and each take half of the requests."""
    # On a port and under a name of its own: the ingest of other tests may run already.
    port = free_ports().pictures
    argv = pictures_argv(Home(stack.home.folder, Ports(pictures=port)))
    first = await stack.start_process("twice", "proctoring", argv, port)
    try:
        with pytest.raises(PlainError, match="runs already"):
            await stack.start_process("twice", "proctoring", argv, port)
        assert stack.parts["twice"] is first
        assert first.pid
    finally:
        await stack.parts["twice"].down()
    # What was stopped may begin again.
    again = await stack.start_process("twice", "proctoring", argv, port)
    assert again.pid != first.pid
    await stack.parts.pop("twice").down()


def test_whoever_is_woken_in_the_engine_does_not_break_in_on_who_runs(stack: Stack, service: str) -> None:
    """One waking serves many requests then: a tenth of what a save costs (docs/performance.md)."""
    assert service
    engine = psutil.Process(stack.parts["engine"].pid)
    threads = [thread.id for process in (engine, *engine.children()) for thread in process.threads()]
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


def test_on_a_full_machine_saves_come_before_what_can_wait_in_the_streams(stack: Stack, service: str) -> None:
    assert service
    engine, flusher = (psutil.Process(stack.parts[name].pid).nice() for name in ("engine", "flusher"))
    assert engine < flusher
