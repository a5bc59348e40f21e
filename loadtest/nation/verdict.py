"""What a report says in words: where the machine was full, where a percentile bends, how near the generator was."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from loadtest.nation.measures import Result

WINDOW_S = 10
BENDS_AT = 3.0
FULL = 0.9
UNSEEN = "not known: joined generators look at no process but themselves; see the metrics of the installation."


def facts(result: Result) -> list[tuple[str, str]]:
    """(what, said) in the order they are read."""
    said = [("First bottleneck", bottleneck(result))] if result.samples else [("First bottleneck", UNSEEN)]
    said += [("Where the 99th percentile bends", bend(result))]
    saves = result.spans.get("saves")
    if saves is not None and saves.requests:
        own = saves.cpu_s.get("generator", 0.0)
        share = own / (saves.ends_s - saves.begins_s)
        limit = saves.requests / own if own else 0
        words = (
            f"it took {share:.0%} of a core; by its processor one process could send about {limit:,.0f} requests a second. "
            f"Its clock was late by {result.ticks_late_p99_ms:.0f} ms at the 99th percentile (5 ms is its tick): "
            "that much of each latency is its own."
        )
        said.append(("The generator's own limit", words))
    return said


def bottleneck(result: Result) -> str:
    """What was full first, if anything was."""
    cores = psutil.cpu_count() or 1
    for before, now in zip(result.samples, result.samples[1:], strict=False):
        span = now.at_s - before.at_s
        shares = {name: (now.cpu[name] - before.cpu.get(name, 0.0)) / span for name in now.cpu}
        name, share = max(shares.items(), key=lambda each: each[1])
        at = f"{(now.at_s - result.t0_s) / 60:+.1f} min"
        if not now.waiting:
            continue
        if now.idle < 100 * (1 - FULL) / 2:
            each = ", ".join(f"{part} {100 * value:.0f} %" for part, value in sorted(shares.items()))
            return f"the machine: all {cores} cores at {at} ({each} of a core), {now.waiting} requests were waiting."
        if now.flying >= result.nation.connections:
            # By Little's law: beyond connections ÷ latency nothing is sent, however idle the rest is.
            return (
                f"the generator's {result.nation.connections} connections, all busy at {at} with {now.idle:.0f} % of the "
                f"machine free, or {name} ({share:.0%} of a core) that answers on them: more connections would tell."
            )
        if name != "generator" and share >= FULL:
            return f"{name}: {share:.0%} of a core at {at}, {now.waiting} requests were waiting."
    return "none was reached: no request waited while a process or the machine was full."


def bend(result: Result) -> str:
    """The first ten seconds whose 99th percentile is three times the usual one."""
    steady = [row for row in result.seconds if result.t0_s <= row[0] < result.stops_s]
    windows = [steady[place : place + WINDOW_S] for place in range(0, len(steady), WINDOW_S)]
    worst = [(window[0][0], statistics.median(row[3] for row in window)) for window in windows if window]
    if not worst:
        return "too short a run to say."
    usual = statistics.median(p99 for _, p99 in worst)
    for at, p99 in worst:
        if p99 > BENDS_AT * usual:
            return f"{(at - result.t0_s) / 60:+.1f} min: {p99:.0f} ms, usually {usual:.0f} ms."
    return f"nowhere: it was about {usual:.0f} ms all along; no ten seconds were above {BENDS_AT:g} times that."
