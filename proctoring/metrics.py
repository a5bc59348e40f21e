"""Figures of the ingest in Prometheus form, summed over the workers of a machine (as the engine's are)."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client import Counter as PrometheusCounter

from infra.worker_figures import WorkerFigures

if TYPE_CHECKING:
    from pathlib import Path

    from proctoring.worker import Worker

NAMES = {
    "elumiti_pictures_requests": "Requests answered, by route and outcome (`ok` or a problem code).",
    "elumiti_pictures_received": "Pictures and reports of events acknowledged: on this machine's disk.",
    "elumiti_pictures_groups": "Groups written; received divided by groups is the group's size.",
    "elumiti_pictures_stored": "Pictures and reports in the store and in the index.",
    "elumiti_pictures_stored_bytes": "Bytes in the store.",
    "elumiti_pictures_segments": "Segments in the store and in the index.",
    "elumiti_pictures_write_failures": "Pictures whose group could not be written (answered 503).",
    "elumiti_pictures_store_failures": "Times that a segment could not be stored or put down, and waits again.",
    "elumiti_pictures_set_aside": "Segments that Postgres will never take; they wait for a person.",
    "elumiti_pictures_events_left_out": "Events beyond what is put down of one attempt.",
    "elumiti_pictures_waiting_segments": "Segments that wait for the store.",
    "elumiti_pictures_waiting_bytes": "Bytes in the spool of this machine.",
    "elumiti_pictures_spool_fill": "Share of the spool's bound that is used; from 0.25 phones take fewer pictures.",
    "elumiti_pictures_known_age_seconds": "Age of what is known of sittings and refusals, the oldest worker's.",
    "elumiti_pictures_workers": "Workers alive.",
}
SUMS = (
    *("received", "groups", "stored", "stored_bytes", "segments", "write_failures", "store_failures", "set_aside"),
    "events_left_out",
)


class Tally:
    """A figure of this process."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, count: int) -> None:
        """So many more."""
        self.total += count


# Put down by whichever upload of this worker (proctoring/bounds.py).
LEFT_OUT = Tally()


class Figures(msgspec.Struct, kw_only=True):
    """One worker's counters as they lie in its file."""

    at: float
    answered: dict[str, dict[str, int]]
    received: int
    groups: int
    stored: int
    stored_bytes: int
    segments: int
    write_failures: int
    store_failures: int
    set_aside: int
    events_left_out: int
    waiting_segments: int
    waiting_bytes: int
    fill: float
    known_age_s: float


class WorkerMetrics:
    """Counters of this worker, and the way to everybody's."""

    def __init__(self, folder: Path) -> None:
        self.ok: Counter[str] = Counter()
        self._refused: dict[str, Counter[str]] = {}
        self._files = WorkerFigures(folder, Figures)

    def refused(self, route: str, code: str) -> None:
        """One more answer with this problem code."""
        self._refused.setdefault(route, Counter())[code] += 1

    async def write_for_ever(self, worker: Worker) -> None:
        """Put the counters where the other workers find them."""
        await self._files.write_for_ever(lambda: self.figures(worker))

    def figures(self, worker: Worker) -> Figures:
        """This worker's counters now."""
        now, spool, uploads = time.time(), worker.spool, worker.uploads
        answered = {route: dict(codes) for route, codes in self._refused.items()}
        for route, count in self.ok.items():
            answered.setdefault(route, {})["ok"] = count
        return Figures(
            at=now,
            answered=answered,
            received=spool.pictures,
            groups=spool.groups,
            stored=uploads.pictures,
            stored_bytes=uploads.bytes,
            segments=uploads.segments,
            write_failures=spool.failures,
            store_failures=uploads.failures,
            set_aside=uploads.set_aside,
            events_left_out=LEFT_OUT.total,
            waiting_segments=uploads.waiting,
            waiting_bytes=spool.waiting_bytes,
            fill=spool.fill,
            known_age_s=now - worker.watched.read_at if worker.watched.read_at else 0.0,
        )

    def page(self, worker: Worker) -> bytes:
        """The Prometheus text over all workers that wrote lately."""
        own = self.figures(worker)
        everybody = [own, *self._files.others(own.at)]
        registry = CollectorRegistry()
        name = "elumiti_pictures_requests"
        requests = PrometheusCounter(name, NAMES[name], ["route", "outcome"], registry=registry)
        for figures in everybody:
            for route, codes in figures.answered.items():
                for code, count in codes.items():
                    requests.labels(route, code).inc(count)
        for field in SUMS:
            name = f"elumiti_pictures_{field}"
            total = sum(getattr(figures, field) for figures in everybody)
            PrometheusCounter(name, NAMES[name], registry=registry).inc(total)
        for field, value in (
            ("waiting_segments", sum(figures.waiting_segments for figures in everybody)),
            # Each worker measures the whole machine's.
            ("waiting_bytes", max(figures.waiting_bytes for figures in everybody)),
            ("spool_fill", max(figures.fill for figures in everybody)),
            ("known_age_seconds", max(figures.known_age_s for figures in everybody)),
            ("workers", len(everybody)),
        ):
            name = f"elumiti_pictures_{field}"
            Gauge(name, NAMES[name], registry=registry).set(value)
        return generate_latest(registry)
