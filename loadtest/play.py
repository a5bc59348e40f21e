"""`elumiti play`: simulated pupils sit a sitting."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.errors import PlainError
from loadtest.course import Step, draw_course
from loadtest.device import Device, RefusedError, Reply
from loadtest.scenario import PlayPupil, Scenario

if TYPE_CHECKING:
    from rich.progress import TaskID

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# A pupil hands in before the bell rather than with it.
RESERVE_S = 60.0
SETTLE_LIMIT_S = 120.0


class Outcome(msgspec.Struct):
    """What came of a play."""

    finished: int = 0
    refused: list[str] = []
    saves: int = 0
    events: int = 0


def play(scenario: Path, *, quiet: bool = False) -> None:
    """Let the pupils of SCENARIO (a JSON file that `elumiti seed` writes) sit their test over HTTP.

    Parameters
    ----------
    scenario
        The file; a demo's lie in its home folder (var/play-open.json).
    quiet
        No progress bar.
    """
    told = msgspec.json.decode(scenario.read_bytes(), type=Scenario)
    require_loopback(told.base_url)
    outcome = asyncio.run(run(told, quiet=quiet))
    print(
        f"{outcome.finished} of {len(told.pupils)} pupils have their receipt; "
        f"{outcome.events} events in {outcome.saves} saves; {len(outcome.refused)} refused."
    )
    for reason in outcome.refused[:5]:
        print(f"  {reason}")


def require_loopback(url: str) -> None:
    """Simulated pupils never meet a foreign server."""
    host = urlsplit(url).hostname or ""
    if host not in LOOPBACK and not host.startswith("127."):
        raise PlainError(f"{url} is not this machine.", "Simulated pupils play against loopback only.")


async def run(scenario: Scenario, *, quiet: bool = False) -> Outcome:
    """Play a whole scenario; returns when every pupil has finished or given up."""
    outcome = Outcome()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    timeout = aiohttp.ClientTimeout(total=40)
    connector = aiohttp.TCPConnector(limit=256)
    with Progress(*columns, disable=quiet) as progress:
        finished = progress.add_task("simulated pupils finished", total=len(scenario.pupils))
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
            sittings = [
                _sit(http, scenario, pupil, Random(scenario.seed * 1_000_003 + place), outcome, progress, finished)
                for place, pupil in enumerate(scenario.pupils)
            ]
            await asyncio.gather(*sittings)
    return outcome


async def _sit(
    http: aiohttp.ClientSession,
    scenario: Scenario,
    pupil: PlayPupil,
    random: Random,
    outcome: Outcome,
    progress: Progress,
    finished: TaskID,
) -> None:
    await asyncio.sleep(random.uniform(0, scenario.arrive_within_s) / scenario.speed)
    device = Device(http, scenario.base_url, pupil, scenario.speed)
    try:
        await device.sign_in()
        key = await device.start()
        await _work(device, scenario, pupil, key, random)
        await _hand_in(device)
        outcome.finished += 1
    except RefusedError as error:
        outcome.refused.append(str(error))
    outcome.saves += device.saves
    outcome.events += len(device.log)
    progress.advance(finished)


async def _work(device: Device, scenario: Scenario, pupil: PlayPupil, key: Reply, random: Random) -> None:
    """Do the steps in their time, saving in between; a dropped line saves later, nothing else changes."""
    assert key.deadline_ms is not None
    limit_s = (key.deadline_ms - key.now_ms) / 1000 - RESERVE_S
    steps = draw_course(pupil, scenario.items, limit_s, random)
    dark = _dark_time(pupil, steps, random)
    began = time.monotonic()
    next_save = scenario.save_every_s * random.uniform(0.3, 1.2)
    device.note("start", value=msgspec.Raw(b'{"agent":"simulated","screen":"360x640"}'))
    for step in steps:
        while next_save < step.at_s:
            await _until(began, next_save, scenario.speed)
            if not dark[0] <= next_save < dark[1]:
                await device.save()
            next_save += scenario.save_every_s * random.uniform(0.8, 1.2)
        await _until(began, step.at_s, scenario.speed)
        device.note(step.kind, step.item, step.value)


def _dark_time(pupil: PlayPupil, steps: list[Step], random: Random) -> tuple[float, float]:
    """When the line is gone, in seconds of the sitting."""
    if not pupil.drops or not steps:
        return (0.0, 0.0)
    begins = random.uniform(0, steps[-1].at_s)
    return (begins, begins + random.uniform(60, 420))


async def _hand_in(device: Device) -> None:
    device.finish()
    await device.save("/v1/finish")
    limit = time.monotonic() + SETTLE_LIMIT_S
    while device.last.final is None or not device.settled:
        if time.monotonic() > limit:
            raise RefusedError("no final receipt in two minutes")
        await asyncio.sleep(0.7)
        await device.save()


async def _until(began: float, at_s: float, speed: float) -> None:
    await asyncio.sleep(max(0.0, began + at_s / speed - time.monotonic()))
