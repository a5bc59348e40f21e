"""A part of a stack: never twice under one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import PlainError
from infra.parts.supervisor import pictures_argv

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


async def test_a_part_that_runs_is_not_started_beside_itself(stack: Stack) -> None:
    """Two would share the port without a word, and each take half of the requests."""
    argv, port = pictures_argv(stack.home), stack.home.ports.pictures
    first = await stack.start_process("pictures", "proctoring", argv, port)
    try:
        with pytest.raises(PlainError, match="runs already"):
            await stack.start_process("pictures", "proctoring", argv, port)
        assert stack.parts["pictures"] is first
        assert first.pid
    finally:
        await stack.parts.pop("pictures").down()
    # What was stopped may begin again.
    again = await stack.start_process("pictures", "proctoring", argv, port)
    assert again.pid != first.pid
    await stack.parts.pop("pictures").down()
