"""What a run saw: every request with its latency, every acknowledgement. Flat arrays: a run has tens of millions."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from loadtest.nation.candidate import Log, Range

ROUTES = ("sign-in", "manifest", "file", "key", "save", "finish", "resume", "have", "visit")
ROUTE = {name: number for number, name in enumerate(ROUTES)}


class Record:
    """Requests, acknowledgements and devices of one generator. Times are seconds since its begin."""

    def __init__(self) -> None:
        self._route = array("B")
        self._due = array("f")
        self._latency = array("f")
        self._ack_log = array("I")
        self._ack_first = array("I")
        self._ack_last = array("I")
        self._ack_at = array("f")
        # (attempt, device, course, offset) by log number
        self.logs: list[tuple[int, str, int, int]] = []
        self.finishes: dict[int, int] = {}
        # (route, status, problem code) → how many, of all that were not 200
        self.refusals: Counter[tuple[str, int, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self.ticks_late_ms = array("f")

    def answered(self, route: int, due: float, latency_s: float) -> None:
        """One request was answered with success, so long after it was due."""
        self._route.append(route)
        self._due.append(due)
        self._latency.append(latency_s * 1000)

    def acknowledged(self, log: Log, ranges: list[Range], at: float) -> None:
        """The server said that it has these events of a device."""
        for first, last in ranges:
            self._ack_log.append(log.number)
            self._ack_first.append(first)
            self._ack_last.append(last)
            self._ack_at.append(at)

    def new_log(self, attempt: int, device: str, course: int, offset: int) -> int:
        """Number of a device's log."""
        self.logs.append((attempt, device, course, offset))
        return len(self.logs) - 1

    @property
    def answers(self) -> int:
        """Requests answered so far."""
        return len(self._route)

    def newest(self, count: int, route: int) -> list[float]:
        """Latencies in ms of a route among the newest answers."""
        return [
            latency for kind, latency in zip(self._route[-count:], self._latency[-count:], strict=True) if kind == route
        ]

    def requests(self) -> pl.DataFrame:
        """route, due_s, ms: a row a request."""
        return pl.DataFrame(
            {
                "route": pl.Series(self._route, dtype=pl.UInt8),
                "due_s": pl.Series(self._due, dtype=pl.Float32),
                "ms": pl.Series(self._latency, dtype=pl.Float32),
            }
        )

    def acks(self) -> pl.DataFrame:
        """log, first, last, at_s: a row a range of events that the server acknowledged."""
        return pl.DataFrame(
            {
                "log": pl.Series(self._ack_log, dtype=pl.UInt32),
                "first": pl.Series(self._ack_first, dtype=pl.UInt32),
                "last": pl.Series(self._ack_last, dtype=pl.UInt32),
                "at_s": pl.Series(self._ack_at, dtype=pl.Float32),
            }
        )

    def devices(self) -> pl.DataFrame:
        """log, attempt, device, course, offset, finish: a row a device."""
        frame = pl.DataFrame(
            self.logs,
            schema={"attempt": pl.Int64, "device": pl.String, "course": pl.UInt32, "offset": pl.UInt32},
            orient="row",
        ).with_row_index("log")
        finishes = pl.DataFrame(
            {"log": list(self.finishes), "finish": list(self.finishes.values())},
            schema={"log": pl.UInt32, "finish": pl.UInt32},
        )
        return frame.join(finishes, on="log", how="left").with_columns(pl.col("finish").fill_null(0))

    def write(self, folder: Path) -> None:
        """Keep everything beside the report, so that runs of several generators can be joined."""
        folder.mkdir(parents=True, exist_ok=True)
        self.requests().write_parquet(folder / "requests.parquet")
        self.acks().write_parquet(folder / "acks.parquet")
        self.devices().write_parquet(folder / "devices.parquet")
