"""A case: what is done to a running sitting, and what became of it."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import psutil

from loadtest.bench.stack import fresh_stack
from loadtest.nation.record import ROUTE
from loadtest.nation.run import Play, play
from loadtest.nation.scenario import Nation
from loadtest.nation.watch import EVERY_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.parts.supervisor import Stack
    from loadtest.nation.measures import Result
    from loadtest.nation.watch import Sample

    Deed = Callable[["Scene"], Awaitable[None]]
    Before = Callable[[Stack], Awaitable[None]]

BUILD = Path("build/chaos")
CALM_S = 8.0
# Postgres is behind when it is more seconds than this further behind than before.
BEHIND_S = 1.0
# Six hundred saves a second: enough that every moment has saves on the wire, and the machine is not the matter.
NATION = Nation(
    candidates=3000,
    minutes=0.75,
    save_every_s=5.0,
    sign_in_s=4.0,
    calm_before_s=1.0,
    spread_s=4.0,
    hand_in_s=5.0,
    drops=0.0,
    second_devices=0.01,
    re_entries=0.01,
    connections=200,
    workers=2,
)


class Scene:
    """What a deed has in its hands: the play, and a note of when the trouble began and ended."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.stack = play.stack
        self.began_s = 0.0
        self.ended_s = 0.0
        self.notes: dict[str, float | int | str] = {}

    async def calm(self, seconds: float = CALM_S) -> None:
        """Let the sitting run first; then the trouble begins."""
        driver = self.play.driver
        await asyncio.sleep(max(0.0, driver.t0 + self.play.nation.spread_s + seconds - driver.now()))
        self.began_s = driver.now()

    def over(self) -> None:
        """What was broken is whole again, as far as we do it by hand."""
        self.ended_s = self.play.driver.now()

    def process(self, name: str) -> psutil.Process:
        """A part's process."""
        pid = self.stack.parts[name].pid
        assert pid is not None
        return psutil.Process(pid)

    def workers(self) -> list[psutil.Process]:
        """The engine's workers."""
        return [child for child in self.process("engine").children() if "python" in child.name()]


class Outcome(msgspec.Struct, kw_only=True):
    """What is kept of a case."""

    case: str
    told: str
    acked: int
    durable: int
    lost: int
    duplicated: int
    # None: not looked at; a picture is sealed, and only proctoring can open it.
    altered: int | None
    recovery_s: float
    # None: not looked at (pictures have no stream).
    durable_again_s: float | None = None
    refusals: dict[str, int] = {}
    notes: dict[str, float | int | str] = {}
    candidates: int = 0
    receipts: int = 0
    machine: str = ""
    at: str = ""

    def line(self) -> str:
        """As it is printed."""
        altered = "" if self.altered is None else f", {self.altered} altered"
        durable = "" if self.durable_again_s is None else f", durable as usual in {self.durable_again_s:g} s"
        receipts = f", {self.receipts} of {self.candidates} receipts" if self.candidates else ""
        return (
            f"{'clean' if self.clean else 'NOT CLEAN'}: {self.acked} acknowledged, {self.durable} durable, {self.lost} lost, "
            f"{self.duplicated} doubled{altered}, answered as usual in {self.recovery_s:g} s{durable}{receipts}; {self.refusals} {self.notes}"
        )

    @property
    def clean(self) -> bool:
        """Nothing acknowledged was lost, doubled or altered, and everybody has his final receipt."""
        return not (self.lost or self.duplicated or self.altered) and self.receipts == self.candidates


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case by name. `told` says in a sentence what is broken."""

    name: str
    told: str
    deed: Deed
    before: Before | None = None
    nation: Nation = NATION
    # A PlainError where this machine lacks what the case is made with; asked before any case begins.
    require: Callable[[], None] | None = None
    # Parts of an own making of the stack, for cases that need it (a replica, a small disk).
    overrides: dict[str, dict[str, str]] = {}


async def run_case(case: Case, *, quiet: bool = False) -> Outcome:
    """Run it on a stack of its own."""
    scenes: list[Scene] = []

    async def trouble(played: Play) -> None:
        scene = Scene(played)
        scenes.append(scene)
        await case.deed(scene)
        scene.over()

    began = time.monotonic()
    async with fresh_stack(case.before) as stack:
        for name, values in case.overrides.items():
            stack.overrides[name] = stack.overrides.get(name, {}) | values
        result = await play(stack, case.nation, quiet=quiet, trouble=trouble)
    _take_disk_away(stack)
    outcome = _outcome(case, result, scenes[0])
    outcome.notes["took_s"] = round(time.monotonic() - began)
    return outcome


def _take_disk_away(stack: Stack) -> None:
    """The small disk of a case that had one: nobody else takes it off."""
    folder = stack.home.part("valkey")
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=False)
        shutil.rmtree(stack.home.folder, ignore_errors=True)


def _outcome(case: Case, result: Result, scene: Scene) -> Outcome:
    refusals: Counter[str] = Counter()
    for route, status, code, count in result.refusals:
        refusals[f"{route} {status or '-'} {code}"] += count
    ledger = result.ledger
    return Outcome(
        case=case.name,
        told=case.told,
        acked=ledger.acknowledged,
        durable=ledger.durable,
        lost=ledger.lost,
        duplicated=ledger.duplicated + ledger.conflicts,
        altered=ledger.altered + ledger.unknown + ledger.dead_letters,
        recovery_s=round(recovery_s(scene, result), 1),
        durable_again_s=round(durable_again_s(scene, result.samples), 1),
        refusals=dict(refusals),
        notes=scene.notes | ({"examples": "; ".join(ledger.examples[:3])} if ledger.examples else {}),
        candidates=case.nation.candidates,
        receipts=result.counts.get("final receipts", 0),
        machine=result.machine,
        at=result.at,
    )


def recovery_s(scene: Scene, result: Result) -> float:
    """From the beginning of the trouble until saves were answered at their usual rate again (half of it, for good)."""
    answered = _answered_by_second(scene)
    usual = statistics.median([answered[second] for second in range(int(scene.began_s) - 6, int(scene.began_s))] or [0])
    end = int(result.stops_s)
    poor = [second for second in range(int(scene.began_s), end) if answered[second] < usual / 2]
    return poor[-1] + 1 - scene.began_s if poor else 0.0


def durable_again_s(scene: Scene, samples: list[Sample]) -> float:
    """From the beginning of the trouble until Postgres was as near behind the streams as before, for good.

    Looked at every two seconds, so 2 s may be none. Where one of the two could not be asked, it was not.
    """
    usual = max((sample.lag_s for sample in samples if sample.at_s < scene.began_s), default=0.0)
    behind = [
        sample.at_s
        for sample in samples
        if sample.at_s >= scene.began_s and (sample.lag_s < 0 or sample.lag_s > usual + BEHIND_S)
    ]
    return behind[-1] + EVERY_S - scene.began_s if behind else 0.0


def _answered_by_second(scene: Scene) -> Counter[int]:
    rows = (
        scene.play.driver.record.requests()
        .filter(pl.col("route") == ROUTE["save"])
        .group_by(second=(pl.col("due_s") + pl.col("ms") / 1000).floor().cast(pl.Int32))
        .len()
        .rows()
    )
    return Counter(dict(rows))


def write(outcome: Outcome) -> None:
    """Keep it under build/chaos."""
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{outcome.case}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")
