"""`elumiti plan`: machines for so many candidates, each line with the measurement that it rests on.

A line is a demand (events a second) times a cost (CPU µs of one, measured) by a share of a core that may be used. What
was never measured here is named so. Nothing is rounded down.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from infra.errors import PlainError
from loadtest.asked import require

KEPT = Path(__file__).parent.parent / "docs" / "figures"
# How much of a core or a disk the plan uses: the rest is for the tail, a dead machine and what we forgot.
USED = 0.5
SAVE_EVERY_S = 30.0
EVENTS_A_SAVE = 3
SPREAD_S = 60.0
SIGN_IN_S = 600.0
# Bytes on the wire, headers and TLS included, as in docs/protocol.md's examples.
SAVE_UP, SAVE_DOWN = 1000, 700
BUNDLE = 1_500_000
SNAPSHOT = 12_000
EVENT_STORED = 220
WORKER_CONNECTIONS = 15_000
SHARD_SAVES = 10_000
CORES_A_MACHINE = 8
# More than the country has people, than a day, than a core costs anywhere.
MOST_CANDIDATES = 30_000_000
MOST_MINUTES = 24 * 60
MOST_PRICE = 1e6


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One part: how many, of what, and why."""

    part: str
    amount: str
    basis: str
    cores: float = 0.0


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """CPU µs of one operation by process, from docs/figures.

    A save's are those of the whole nation's quarter of an hour: Postgres takes twice as much for one there as in a short
    run with few pupils.
    """

    save: dict[str, float]
    sign_in: dict[str, float]
    key: dict[str, float]
    connection_bytes: float
    tls_handshake_us: float
    tls_save_us: float
    # a picture: ingest, Postgres, store
    snapshot: dict[str, float] = {}


def read_costs(folder: Path = KEPT) -> Costs:
    """The kept figures; a PlainError names one that is missing."""
    return Costs(
        save=_shares(folder, "mass_save_p99_ms"),
        sign_in=_shares(folder, "signin_cpu_us"),
        key=_shares(folder, "key_cpu_us"),
        connection_bytes=_value(folder, "connection_bytes"),
        tls_handshake_us=_value(folder, "tls_handshake_cpu_us"),
        tls_save_us=_value(folder, "tls_save_cpu_us"),
        snapshot=_shares(folder, "snapshot_cpu_us"),
    )


def _figure(folder: Path, metric: str) -> dict[str, object]:
    path = folder / f"{metric}.json"
    if not path.exists():
        raise PlainError(f"{metric} was never measured.", "Run python -m loadtest.bench and keep its figure.")
    return msgspec.json.decode(path.read_bytes())


def _value(folder: Path, metric: str) -> float:
    return float(str(_figure(folder, metric)["value"]))


def _shares(folder: Path, metric: str) -> dict[str, float]:
    basis = str(_figure(folder, metric)["basis"])
    return {
        name: float(us)
        for name, us in re.findall(r"(engine|flusher|valkey|postgres|pictures|objects) (\d+(?:\.\d+)?)", basis)
    }


def _cores(number: float) -> str:
    return "1 core" if number == 1 else f"{number:.1f} cores" if number % 1 else f"{number:.0f} cores"


def make_plan(candidates: int, snapshot_every_s: float, minutes: float, costs: Costs, core_hour: float) -> list[Line]:
    """The lines of a plan. `core_hour` is the price of a core for an hour, in any currency; 0: no line of costs."""
    saves = candidates / SAVE_EVERY_S
    keys, sign_ins = candidates / SPREAD_S, candidates / SIGN_IN_S
    snapshots = candidates / snapshot_every_s if snapshot_every_s else 0.0

    def cores(name: str) -> float:
        # T0's rush comes on top of nothing: the first saves follow it.
        steady = saves * costs.save.get(name, 0.0)
        rush = max(keys * costs.key.get(name, 0.0), sign_ins * costs.sign_in.get(name, 0.0))
        return max(steady, rush) / 1e6 / USED

    def said(name: str) -> str:
        return f"{costs.save.get(name, 0):.0f} µs a save × {saves:,.0f}/s at {USED:.0%} of a core (mass_save_p99_ms)"

    workers = max(math.ceil(cores("engine")), math.ceil(candidates / WORKER_CONNECTIONS))
    front = max(keys * costs.tls_handshake_us, saves * costs.tls_save_us) / 1e6 / USED
    pictures = {name: snapshots * us / 1e6 / USED for name, us in costs.snapshot.items()}
    lines = [
        Line(
            part="Engine workers",
            amount=f"{workers} ({_cores(cores('engine'))})",
            basis=f"{said('engine')}; and {WORKER_CONNECTIONS:,} open connections a worker",
            cores=cores("engine"),
        ),
        Line(
            part="Engine's memory",
            amount=f"{candidates * costs.connection_bytes / 2**30:.1f} GB for connections",
            basis=f"{costs.connection_bytes:,.0f} bytes a kept-alive connection (connection_bytes)",
        ),
        Line(
            part="Valkey primaries",
            amount=f"{max(1, math.ceil(saves / SHARD_SAVES))}, each with a replica and a disk of its own",
            basis=f"one took {SHARD_SAVES:,} saves/s with appendfsync always; {said('valkey')}",
            cores=cores("valkey"),
        ),
        Line(
            part="Flushers",
            amount=f"{max(2, math.ceil(cores('flusher')) + 1)}",
            basis=f"{said('flusher')}; one more that takes over",
            cores=cores("flusher"),
        ),
        Line(
            part="Postgres",
            amount=f"{_cores(math.ceil(cores('postgres') + 1))}, one primary, a synchronous standby",
            basis=f"{said('postgres')}; one core for receipts and the portal",
            cores=cores("postgres") + 1,
        ),
        Line(
            part="TLS front (HAProxy)",
            amount=f"{_cores(math.ceil(front))}, {math.ceil(candidates * 2 / 20_000)} processes of 20 000 files",
            basis=(
                f"{costs.tls_handshake_us:.0f} µs a handshake × {keys:,.0f}/s, or {costs.tls_save_us:.0f} µs a save × "
                f"{saves:,.0f}/s at {USED:.0%}; a connection is two files"
            ),
            cores=front,
        ),
        Line(
            part="Bandwidth, answers",
            amount=f"{8 * saves * SAVE_UP / 1e6:,.0f} Mbit/s in, {8 * saves * SAVE_DOWN / 1e6:,.0f} Mbit/s out",
            basis=f"{SAVE_UP} and {SAVE_DOWN} bytes a save",
        ),
        Line(
            part="Bandwidth, bundles",
            amount=f"{candidates * BUNDLE / 1e12:.2f} TB from a CDN, days to minutes ahead",
            basis=f"{BUNDLE / 1e6:.1f} MB a bundle, immutable and encrypted",
        ),
        Line(
            part="Storage, answers",
            amount=f"{saves * 60 * minutes * EVENTS_A_SAVE * EVENT_STORED / 2**30:.0f} GB a sitting of {minutes:g} min",
            basis=f"{EVENTS_A_SAVE} events a save, {EVENT_STORED} bytes a row with its index",
        ),
    ]
    if snapshots:
        lines += [
            *(
                Line(
                    part=f"Snapshots, {part}",
                    amount=_cores(math.ceil(pictures[name])),
                    basis=f"{costs.snapshot[name]:.0f} µs a snapshot × {snapshots:,.0f}/s at {USED:.0%} (snapshot_cpu_us)",
                    cores=pictures[name],
                )
                for name, part in (("pictures", "ingest"), ("postgres", "Postgres"), ("objects", "store"))
                if name in pictures
            ),
            Line(
                part="Bandwidth, snapshots",
                amount=f"{8 * snapshots * SNAPSHOT / 1e9:.2f} Gbit/s in",
                basis=f"{SNAPSHOT / 1000:.0f} kB a snapshot, one in {snapshot_every_s:g} s",
            ),
            Line(
                part="Storage, snapshots",
                amount=f"{snapshots * 60 * minutes * SNAPSHOT / 1e12:.1f} TB a sitting of {minutes:g} min",
                basis="kept for 90 days, then erased",
            ),
        ]
    total = sum(line.cores for line in lines)
    machines = math.ceil(total / CORES_A_MACHINE)
    lines.append(
        Line(
            part="Together",
            amount=f"{total:.0f} cores: {machines + 2} machines of {CORES_A_MACHINE} cores",
            basis="the sum of the lines above, and two machines that may die",
        )
    )
    if core_hour:
        hours = minutes / 60 + 4
        lines.append(
            Line(
                part="Cost of a sitting",
                amount=f"{(machines + 2) * CORES_A_MACHINE * hours * core_hour:,.0f}",
                basis=f"{core_hour:g} a core and hour, {hours:g} hours with setting up and taking down; without the CDN",
            )
        )
    return lines


def plan(
    *, candidates: int = 300_000, snapshot_every: float = 30.0, minutes: float = 90.0, core_hour: float = 0.0
) -> None:
    """Print the machines for so many candidates at the same moment, with the measured basis of each.

    Parameters
    ----------
    candidates
        Who sits at the same moment.
    snapshot_every
        Seconds between two webcam snapshots; 0: no camera.
    minutes
        Length of the test.
    core_hour
        Price of one core for an hour, for the line of costs.
    """
    for name, value in (("candidates", candidates), ("minutes", minutes)):
        if value <= 0:
            raise PlainError(f"--{name} {value:g} makes no sitting.", "It must be more than nothing.")
    if snapshot_every < 0 or core_hour < 0:
        raise PlainError("A negative number makes no plan.", "Use 0 for none.")
    require("candidates", candidates, 1, MOST_CANDIDATES)
    require("minutes", minutes, 1, MOST_MINUTES)
    if snapshot_every:
        require("snapshot-every", snapshot_every, 1, MOST_MINUTES * 60)
    require("core-hour", core_hour, 0, MOST_PRICE)
    table = Table(title=f"{candidates:,} candidates at the same moment, {minutes:g} minutes", title_justify="left")
    for heading in ("part", "how much", "what it rests on"):
        table.add_column(heading)
    for line in make_plan(candidates, snapshot_every, minutes, read_costs(), core_hour):
        table.add_row(line.part, line.amount, line.basis)
    Console().print(table)
