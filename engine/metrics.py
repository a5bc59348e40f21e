"""Figures of the engine in Prometheus form, summed over its workers."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client import Counter as PrometheusCounter

from infra.worker_figures import WorkerFigures

if TYPE_CHECKING:
    from engine.worker import Worker

NAMES = {
    "elumiti_engine_requests": "Requests answered, by route and outcome (`ok` or a problem code).",
    "elumiti_engine_hung_up": "Callers who went away in the middle of their body.",
    "elumiti_engine_groups": "XADDs acknowledged.",
    "elumiti_engine_connections": "Open connections: files that the workers hold beyond those of their start.",
    "elumiti_engine_records": "Records acknowledged; divided by groups it is the batch size.",
    "elumiti_engine_append_failures": "Records whose group failed (answered 503).",
    "elumiti_engine_streams_opened": "Streams opened since the start.",
    "elumiti_engine_board_age_seconds": "Age of the newest news on the notice board, the oldest worker's.",
    "elumiti_engine_roster_age_seconds": "Age of the roster, the oldest worker's.",
    "elumiti_engine_pending_bytes": "Bytes that wait for the stream.",
    "elumiti_engine_valkey_bytes": "Memory that Valkey uses.",
    "elumiti_engine_workers": "Workers alive.",
}


class Figures(msgspec.Struct, kw_only=True):
    """One worker's counters as they lie in its file."""

    at: float
    requests: dict[str, int]
    problems: dict[str, dict[str, int]]
    connections: int
    hung_up: int
    groups: int
    records: int
    failures: int
    streams_opened: int
    board_age_s: float
    roster_age_s: float
    pending_bytes: int
    valkey_bytes: int


class WorkerMetrics:
    """Counters of this worker, and the way to everybody's."""

    def __init__(self, folder: Path) -> None:
        # route → answers that are no problem; counted when they are given, so that none is taken back
        self.requests: Counter[str] = Counter()
        # route → problem code → how many
        self.problems: dict[str, Counter[str]] = {}
        self.hung_up = 0
        self.valkey_bytes = 0
        self._files = WorkerFigures(folder, Figures)
        self._own_files = 0

    def refused(self, route: str, code: str) -> None:
        """One more answer with this problem code."""
        self.problems.setdefault(route, Counter())[code] += 1

    async def write_for_ever(self, worker: Worker) -> None:
        """Put the counters where the other workers find them."""
        self._own_files = open_files()
        await self._files.write_for_ever(lambda: self.figures(worker))

    def figures(self, worker: Worker) -> Figures:
        """This worker's counters now."""
        now = time.time()
        commits = worker.commits
        return Figures(
            at=now,
            requests=dict(self.requests),
            problems={route: dict(codes) for route, codes in self.problems.items()},
            connections=max(0, open_files() - self._own_files),
            hung_up=self.hung_up,
            groups=commits.groups,
            records=commits.records,
            failures=commits.failures,
            streams_opened=commits.streams_opened,
            board_age_s=now - worker.board.heard_at if worker.board.heard_at else 0.0,
            roster_age_s=now - worker.roster.read_at if worker.roster.read_at else 0.0,
            pending_bytes=commits.pending_bytes,
            valkey_bytes=self.valkey_bytes,
        )

    def page(self, worker: Worker) -> bytes:
        """The Prometheus text over all workers that wrote lately."""
        own = self.figures(worker)
        everybody = [own, *self._files.others(own.at)]
        registry = CollectorRegistry()
        requests = PrometheusCounter(
            "elumiti_engine_requests", NAMES["elumiti_engine_requests"], ["route", "outcome"], registry=registry
        )
        for figures in everybody:
            for route, count in figures.requests.items():
                requests.labels(route, "ok").inc(count)
            for route, codes in figures.problems.items():
                for code, count in codes.items():
                    requests.labels(route, code).inc(count)
        for name, value in (
            ("hung_up", sum(figures.hung_up for figures in everybody)),
            ("groups", sum(figures.groups for figures in everybody)),
            ("records", sum(figures.records for figures in everybody)),
            ("append_failures", sum(figures.failures for figures in everybody)),
            ("streams_opened", sum(figures.streams_opened for figures in everybody)),
        ):
            full = f"elumiti_engine_{name}"
            PrometheusCounter(full, NAMES[full], registry=registry).inc(value)
        for name, value in (
            ("board_age_seconds", max(figures.board_age_s for figures in everybody)),
            ("roster_age_seconds", max(figures.roster_age_s for figures in everybody)),
            ("pending_bytes", sum(figures.pending_bytes for figures in everybody)),
            ("valkey_bytes", own.valkey_bytes),
            ("connections", sum(figures.connections for figures in everybody)),
            ("workers", len(everybody)),
        ):
            full = f"elumiti_engine_{name}"
            Gauge(full, NAMES[full], registry=registry).set(value)
        return generate_latest(registry)


def open_files() -> int:
    """How many files this process holds open: Linux says it in one call since 6.2; before, nobody counts 20 000 names."""
    try:
        return Path("/proc/self/fd").stat().st_size
    except OSError:
        return 0
