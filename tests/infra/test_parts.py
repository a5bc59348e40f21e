"""A part of a stack: never twice under one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
