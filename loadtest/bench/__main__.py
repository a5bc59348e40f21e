"""`make bench` or `python -m loadtest.bench [NAME …]`: run the benchmarks, all or by name."""

from __future__ import annotations

import asyncio
import sys

import cyclopts
import uvloop

from infra import log
from loadtest.bench import demo_start, door, first_question, page, reentry, save_cpu

app = cyclopts.App(name="bench", help="The project's benchmarks; figures go to build/figures.")


@app.command
def saves(
    *, rate: int = save_cpu.RATE, seconds: float = save_cpu.SECONDS, pupils: int = save_cpu.PUPILS, workers: int = 1
) -> None:
    """CPU per durable save (`save_cpu_us`), beside FastAPI + asyncpg in the same run."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(save_cpu.measure(rate, seconds, pupils, workers))


@app.command
def player(*, rounds: int = first_question.ROUNDS) -> None:
    """Tap to first question on an old phone (`player_first_question_*ms`), and the page's weight (`player_gzip_bytes`)."""
    asyncio.run(first_question.measure(rounds))


@app.command
def re_entry(*, times: int = reentry.TIMES, rate: int = reentry.RATE) -> None:
    """Crash, sign in on another phone, all answers on the screen (`reentry_s`), beside a running load."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(reentry.measure(times, rate))


@app.command(name="door")
def at_the_door(*, pupils: int = door.PUPILS, returning: int = door.RETURNING) -> None:
    """What a sign-in and a key cost (`signin_cpu_us`, `key_cpu_us`), and the return of 5 000 (`reentry_5000_p99_s`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(door.measure(pupils, returning))


@app.command
def demo() -> None:
    """Seconds until a demo that is there already is up again (`demo_second_start_s`, at most 10)."""
    demo_start.measure()


@app.command
def render() -> None:
    """Write docs/figures.md from docs/figures."""
    page.render()


@app.default
def everything() -> None:
    """All benchmarks, one after the other."""
    saves()
    player()
    re_entry()
    demo()


if __name__ == "__main__":
    log.configure()
    app()
    sys.exit(0)
