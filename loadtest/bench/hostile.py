"""`hostile_p99_growth`: what fifty hostile pupils cost fifty thousand honest ones (SAFETY M2).

Honest saves at true pace, by turns alone and beside the others, on one stack. Nobody honest may be refused, and what was
acknowledged to him must be in Postgres, or there is no figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.mischief import Hostile, Orders, Told
from loadtest.bench.saves import Candidate, Sent, save_for
from loadtest.bench.stack import fresh_stack
from loadtest.bench.steady import OURS, SAVE_EVERY_S, signed_in
from loadtest.flushed import until_flushed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from loadtest.scene import BenchScene

HONEST = 50_000
HOSTILE = 50
ROUNDS = 3
# As it is in a sitting: all fifty begin at once, but once in a long while. In turns of 35 s, as this had until 28 November,
# a second in which a thousand lines open was one in thirty-five, and by itself the p99.
SECONDS = 150.0
# What is told beside it, so that the beginning is not lost among the rest.
OPENING_S = 10.0
# All together; the generator of the honest and theirs share the cores with the engine, so the bound says what they cost
# the engine and not what they cost the machine. Of each it is 24 a second; his saves are refused beyond ten.
RATE = 1_200.0
DURABLE_LIMIT_S = 120


class Turns(msgspec.Struct):
    """All turns of one kind."""

    sent: list[Sent] = []
    cpu_s: dict[str, float] = {}

    def ms(self, share: float, first: int | None = None) -> float:
        """A percentile over all of them, or over so many answers of each turn, the first ones."""
        return Sent(latencies_ms=[each for sent in self.sent for each in sent.latencies_ms[:first]]).percentile(share)


async def measure(
    honest: int = HONEST,
    hostile: int = HOSTILE,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    hostile_rate: float = RATE,
) -> None:
    """Turns alone and beside them; then looks every honest event up and writes the figure."""
    alone, beside = Turns(), Turns()
    told: list[Told] = []
    async with fresh_stack() as stack:
        # A bench's home has the secrets of a demo; its pupils have the bounds of a real sitting.
        stack.overrides["engine"]["ELUMITI_DEMO"] = "false"
        scene, pool, host, pupils = await signed_in(stack, honest + hostile, starts_in_s=-60)
        owner = stack.owner_url
        pids = {name: pid for name in OURS if (pid := stack.parts[name].pid)}
        good, bad = pupils[:honest], pupils[honest:]
        rate = honest / SAVE_EVERY_S

        async def turn(turns: Turns) -> None:
            meter = Meter(pids)
            turns.sent.append(await save_for(pool, host, good, scene.items, rate, seconds))
            for name, taken_s in meter.taken().items():
                turns.cpu_s[name] = turns.cpu_s.get(name, 0) + taken_s

        orders = Orders(stack.home.ports.engine, hostile_rate, seconds, scene.items, _known(scene, bad))
        warm = await save_for(pool, host, good, scene.items, rate, 5)
        async with _gang(orders) as gang, _looking(owner) as db:
            for _ in range(rounds):
                await turn(alone)
                assert gang.stdin is not None
                gang.stdin.write(b"go\n")
                await turn(beside)
                told.append(msgspec.json.decode(await _line(gang, seconds), type=Told))
                # The next turn alone shall not pay for this one.
                await until_flushed(db, DURABLE_LIMIT_S)
            missing = await _missing(db, scene, good, bad)
        pool.close()
    sents = [warm, *alone.sent, *beside.sent]
    refused, lost = sum(sent.refused for sent in sents), sum(sent.lost for sent in sents)
    acked, due = sum(sent.acked for sent in sents), sum(sent.due for sent in sents)
    ways = _ways(told)
    print(_by_way(ways), flush=True)
    if refused or lost or missing or acked != due:
        raise RuntimeError(
            f"{refused} honest saves refused, {lost} lost, {acked} of {due} answered, {missing} events missing"
        )
    p50, p99 = (_growth(alone.ms(share), beside.ms(share)) for share in (0.5, 0.99))
    opening = int(OPENING_S * honest / SAVE_EVERY_S)
    by_turn = ", ".join(
        f"{one.percentile(0.99):.0f} → {other.percentile(0.99):.0f}"
        for one, other in zip(alone.sent, beside.sent, strict=True)
    )
    basis = (
        f"{honest} honest pupils, {rate:.0f} saves/s, {rounds} turns of {seconds:g} s alone and as many beside {hostile} hostile "
        f"ones, who send as fast as they are answered up to {hostile_rate:g} requests/s in all (a process of their own on the "
        f"same cores); honest p99 {alone.ms(0.99):.1f} → {beside.ms(0.99):.1f} ms (by turn {by_turn}; in the "
        f"first {OPENING_S:g} s of each {alone.ms(0.99, opening):.1f} → {beside.ms(0.99, opening):.1f}), median "
        f"{alone.ms(0.5):.1f} → {beside.ms(0.5):.1f} ms ({p50:+.1f} %); all {acked} honest saves answered, none refused, all "
        f"{acked * 3} events in Postgres but for repeats; {_answers(ways)}; "
        f"percent of a core: {_cores(alone, beside, rounds * seconds)}, the hostile's generator "
        f"{100 * sum(each.cpu_s for each in told) / (rounds * seconds):.0f}; no limit of sign-ins by address"
    )
    write(Figure(metric="hostile_p99_growth", value=round(p99, 1), unit="%", basis=basis))


def _growth(before: float, after: float) -> float:
    return 100 * (after / before - 1)


def _cores(alone: Turns, beside: Turns, seconds: float) -> str:
    return ", ".join(
        f"{name} {100 * alone.cpu_s[name] / seconds:.0f} → {100 * beside.cpu_s[name] / seconds:.0f}" for name in OURS
    )


def _known(scene: BenchScene, bad: list[Candidate]) -> list[Hostile]:
    codes = dict(scene.seats)
    return [Hostile(each.attempt, codes[each.attempt], each.token, each.anchor) for each in bad]


@contextlib.asynccontextmanager
async def _gang(orders: Orders) -> AsyncIterator[asyncio.subprocess.Process]:
    """Their process; it ends with its input, hence with us."""
    pipe = asyncio.subprocess.PIPE
    words = [sys.executable, "-m", "loadtest.bench.mischief"]
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, limit=2**20)
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        await _line(process, 30)
        yield process
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 15)
        if process.returncode is None:
            process.kill()


async def _line(process: asyncio.subprocess.Process, seconds: float) -> bytes:
    assert process.stdout is not None
    return await asyncio.wait_for(process.stdout.readline(), seconds + 60)


@contextlib.asynccontextmanager
async def _looking(owner: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    db = await asyncpg.connect(owner, command_timeout=120)
    try:
        yield db
    finally:
        await db.close()


async def _missing(
    db: asyncpg.Connection[asyncpg.Record], scene: BenchScene, good: list[Candidate], bad: list[Candidate]
) -> int:
    """Honest events that were sent and are not in Postgres, after it had time to take them."""
    expected = sum(candidate.seq for candidate in good)
    missing = expected
    for _ in range(DURABLE_LIMIT_S):
        held = await db.fetchval(
            "select count(*) from response_event where sitting_id = $1 and not attempt_id = any($2::bigint[])",
            *(scene.sitting, [candidate.attempt for candidate in bad]),
        )
        if not (missing := expected - held):
            break
        await asyncio.sleep(1)
    return missing


def _ways(told: list[Told]) -> dict[str, Counter[str]]:
    """What was done → how it was answered, over all turns."""
    ways: dict[str, Counter[str]] = {}
    for each in told:
        for way, answers in each.answers.items():
            ways.setdefault(way, Counter()).update(answers)
    return ways


def _answers(ways: dict[str, Counter[str]]) -> str:
    """How many requests, and how they were answered, the commonest first."""
    counts: Counter[str] = Counter()
    slow: Counter[str] = Counter()
    for way, answers in ways.items():
        if way.startswith("slow"):
            slow.update({f"{way} {answer}": count for answer, count in answers.items()})
        else:
            counts.update(answers)
    total = max(1, counts.total())
    shares = ", ".join(f"{answer} {100 * count / total:.1f} %" for answer, count in counts.most_common())
    limits = sum(count for answer, count in counts.items() if answer.startswith("429"))
    lines = ", ".join(f"{answer}: {count}" for answer, count in slow.most_common())
    return f"{total} hostile requests, {100 * limits / total:.0f} % refused by a limit: {shares}; slow lines: {lines}"


def _by_way(ways: dict[str, Counter[str]]) -> str:
    """A line for each thing they did."""
    return "\n".join(
        f"    {way}: " + ", ".join(f"{answer} × {count}" for answer, count in counts.most_common())
        for way, counts in ways.items()
    )
