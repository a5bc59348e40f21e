"""`make bench` or `python -m loadtest.bench [NAME …]`: run the benchmarks, all or by name."""

from __future__ import annotations

import asyncio
import sys

import cyclopts
import uvloop

from infra import log
from loadtest.bench import (
    both,
    connections,
    demo_start,
    door,
    first_question,
    fronted,
    hostile,
    input_delay,
    live_views,
    mass,
    page,
    reentry,
    registry,
    save_cpu,
    snapshots,
    steady,
    tls,
    wall,
)

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


@app.command(name="input-delay")
def camera_input_delay(*, seconds: float = input_delay.SECONDS) -> None:
    """What a camera costs a tap on an old phone (`proctoring_input_delay_ms`), by Chromium's trace."""
    asyncio.run(input_delay.measure(seconds))


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


@app.command(name="mass")
def mass_sitting(*, candidates: int = 300_000, minutes: float = 15.0, workers: int = 1) -> None:
    """The mass sitting at true pace (`mass_*`, `keys_all_s`, `key_p99_ms`); its report is build/loadtest/mass."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(mass.mass(candidates, minutes, workers))


@app.command
def ceiling(*, candidates: int = 500_000, minutes: float = 10.0, workers: int = 1) -> None:
    """How many more the same machine bears within a second (`ceiling_candidates`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(mass.ceiling(candidates, minutes, workers))


@app.command
def visitors(*, candidates: int = 100_000, rounds: int = 3, seconds: float = 20.0) -> None:
    """Five times the candidates on the public pages (`visitors_p99_growth`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(steady.visitors(candidates, rounds, seconds))


@app.command(name="hostile")
def among_hostile(
    *,
    honest: int = hostile.HONEST,
    rounds: int = hostile.ROUNDS,
    seconds: float = hostile.SECONDS,
    rate: float = hostile.RATE,
) -> None:
    """Fifty hostile pupils among fifty thousand honest ones (`hostile_p99_growth`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hostile.measure(honest, hostile.HOSTILE, rounds, seconds, rate))


@app.command
def curve(*, seconds: float = 30.0) -> None:
    """CPU a save from 10 000 to 300 000 candidates (`cost_curve_*`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(steady.curve(seconds=seconds))


@app.command(name="connections")
def open_connections(*, wanted: int = connections.WANTED) -> None:
    """As many open connections as the nation has phones (`connections_open`, `connection_bytes`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(connections.measure(wanted))


@app.command(name="fronted")
def fronted_connections(*, wanted: int = fronted.WANTED, tls: int = fronted.TLS_WANTED) -> None:
    """What HAProxy keeps for each open connection (`front_connection_bytes`, `front_tls_connection_bytes`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(fronted.measure(wanted, tls))


@app.command(name="tls")
def tls_front() -> None:
    """What HAProxy takes with TLS 1.3 (`tls_handshake_cpu_us`, `tls_save_cpu_us`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(tls.measure())


@app.command(name="registry")
def registry_of_persons(
    *, persons: int = registry.PERSONS, asked: int = registry.ASKED, rows: int = registry.ROWS
) -> None:
    """Five million persons: search, page of a list, import (`registry_search_p95_ms`, `registry_page_p95_ms`, `registry_import_100k_s`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(registry.measure(persons, asked, rows))


@app.command(name="live-views")
def live_at_once(*, numbers: str = live_views.NUMBERS, seconds: float = live_views.SECONDS) -> None:
    """Views at a time on one forwarder, CPU a view and packets lost (`live_views`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live_views.measure(numbers, seconds))


@app.command(name="snapshots")
def pictures(
    *,
    rate: int = snapshots.RATE,
    seconds: float = snapshots.SECONDS,
    candidates: int = snapshots.CANDIDATES,
    workers: int = snapshots.WORKERS,
) -> None:
    """The ingest of pictures (`snapshot_cpu_us`, `snapshot_per_s`, `snapshot_put_ratio`, `snapshot_read_p95_ms`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(snapshots.measure(rate, seconds, candidates, workers))


@app.command(name="both")
def answers_and_pictures(*, candidates: int = both.CANDIDATES, minutes: float = both.MINUTES, workers: int = 1) -> None:
    """Answers and pictures at true pace on one machine (`both_candidates`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(both.both(candidates, minutes, workers))


@app.command(name="growth")
def what_pictures_cost(
    *, candidates: int = both.GROWTH_CANDIDATES, rounds: int = both.ROUNDS, seconds: float = both.SECONDS
) -> None:
    """What pictures add to the answers' p99 (`answers_p99_growth`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(both.growth(candidates, rounds, seconds))


@app.command(name="wall")
def proctors_wall(*, tiles: int = wall.TILES, minutes: float = wall.MINUTES) -> None:
    """The proctors' wall scrolled while pictures come in (`wall_fps`); `--minutes 30` shows whether memory stays flat."""
    asyncio.run(wall.measure(tiles, minutes))


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
    at_the_door()
    visitors()
    among_hostile()
    curve()
    open_connections()
    fronted_connections()
    tls_front()
    mass_sitting()
    ceiling()
    registry_of_persons()
    pictures()
    answers_and_pictures()
    what_pictures_cost()
    proctors_wall()
    demo()


if __name__ == "__main__":
    log.configure()
    app()
    sys.exit(0)
