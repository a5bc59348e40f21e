"""What a report says was full first: server, machine, or the generator itself."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.nation.measures import Result
from loadtest.nation.reconcile import Ledger
from loadtest.nation.scenario import Nation
from loadtest.nation.verdict import bottleneck
from loadtest.nation.watch import Sample

CONNECTIONS = 600


@pytest.mark.parametrize(
    ("engine_share", "flying", "waiting", "idle", "said"),
    [
        (0.95, 300, 40, 45.0, "engine: 95% of a core"),
        (0.60, 300, 40, 1.0, "the machine: all"),
        (1.09, CONNECTIONS, 40, 1.0, "the machine: all"),
        (1.09, CONNECTIONS, 40, 12.0, "the generator's 600 connections"),
        (
            0.60,
            CONNECTIONS,
            40,
            12.0,
            "the generator's 600 connections, all busy at +1.0 min with 12 % of the machine free, or engine (60% of a core)",
        ),
        (0.60, CONNECTIONS, 0, 12.0, "none was reached"),
        (0.60, 300, 40, 12.0, "none was reached"),
    ],
)
def test_it_is_said_who_was_full_first(engine_share: float, flying: int, waiting: int, idle: float, said: str) -> None:
    before = _sample(at_s=58.0, cpu={"engine": 10.0, "generator": 5.0})
    now = _sample(
        at_s=60.0,
        cpu={"engine": 10.0 + 2 * engine_share, "generator": 6.0},
        flying=flying,
        waiting=waiting,
        idle=idle,
    )
    assert bottleneck(_result([before, now])).startswith(said)


def _sample(**facts: Any) -> Sample:
    calm: dict[str, Any] = {
        "rss_mb": {},
        "idle": 50.0,
        "lag_s": 0.1,
        "valkey_mb": 1.0,
        "answers": 0,
        "waiting": 0,
        "flying": 0,
    }
    return Sample(**(calm | facts))


def _result(samples: list[Sample]) -> Result:
    return Result(
        nation=Nation(candidates=1, minutes=1, connections=CONNECTIONS),
        machine="",
        at="",
        versions={},
        t0_s=0.0,
        stops_s=900.0,
        latencies={},
        refusals=[],
        counts={},
        spans={},
        ledger=Ledger(),
        samples=samples,
        seconds=[],
        ticks_late_p99_ms=0.0,
        keys_all_s=0.0,
        last_receipt_s=0.0,
    )
