"""The process of the checks: it begins late on a busy machine, dies, wears out; no picture that is in order pays for it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from proctoring.checks import aside as module
from proctoring.checks.aside import Aside
from tests.support.watched import picture

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aside() -> Iterator[Aside]:
    made = Aside()
    yield made
    made.close()


async def pid_of(aside: Aside) -> int:
    """The process that looks."""
    return await aside._run(60, os.getpid)


def late() -> None:
    """The beginning of a process behind a full machine."""
    time.sleep(4)


async def test_a_late_beginning_is_no_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports behind a full machine may take longer than a look may."""
    monkeypatch.setattr(module, "begin", late)
    monkeypatch.setattr(module, "LOOK_LIMIT_S", 3)
    aside = Aside()
    try:
        assert await aside.look(picture(1, side=64))
    finally:
        aside.close()


async def test_one_that_died_while_nobody_asked_is_replaced(aside: Aside) -> None:
    assert await aside.look(picture(1, side=64))
    os.kill(await pid_of(aside), signal.SIGKILL)
    assert await aside.look(picture(2, side=64))


async def test_it_wears_out_and_the_next_picture_has_a_new_one(aside: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LOOKS", 2)
    assert await aside.look(picture(1, side=64))
    first = await pid_of(aside)
    for number in range(3):
        assert await aside.look(picture(number, side=64))
    assert await pid_of(aside) != first
