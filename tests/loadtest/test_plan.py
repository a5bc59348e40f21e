"""The plan is arithmetic over measured costs, and says of each line what it rests on."""

from __future__ import annotations

import msgspec
import pytest

from infra.errors import PlainError
from loadtest.plan import KEPT, Costs, make_plan, plan, read_costs

COSTS = Costs(
    save={"engine": 50.0, "flusher": 8.0, "valkey": 6.0, "postgres": 9.0},
    sign_in={"engine": 80.0},
    key={"engine": 55.0},
    connection_bytes=20_000,
    tls_handshake_us=400,
    tls_save_us=30,
    snapshot={"pictures": 90.0, "postgres": 10.0, "objects": 40.0},
)


def test_twice_the_candidates_take_twice_the_cores() -> None:
    small = {line.part: line.cores for line in make_plan(300_000, 30, 90, COSTS, 0)}
    large = {line.part: line.cores for line in make_plan(600_000, 30, 90, COSTS, 0)}
    assert small["Engine workers"] == pytest.approx(10_000 * 50e-6 / 0.5)
    assert large["Engine workers"] == pytest.approx(2 * small["Engine workers"])
    assert all(line.basis for line in make_plan(300_000, 30, 90, COSTS, 0))


def test_no_camera_no_snapshots_and_a_price_brings_a_line_of_costs() -> None:
    parts = {line.part for line in make_plan(300_000, 0, 90, COSTS, 40)}
    assert not {part for part in parts if "napshot" in part}
    assert "Cost of a sitting" in parts


def test_a_save_costs_what_the_whole_nation_was_measured_to_take() -> None:
    """Not what a short run with a tenth of the pupils took, where Postgres needs half as much."""
    costs = read_costs()
    assert set(costs.save) == {"engine", "flusher", "valkey", "postgres"}
    basis = msgspec.json.decode((KEPT / "mass_save_p99_ms.json").read_bytes())["basis"]
    assert basis.startswith("300000 candidates for 15 min")
    assert f"postgres {costs.save['postgres']:.0f}," in basis


def test_nonsense_and_a_cost_that_was_never_measured_are_one_line(tmp_path: object) -> None:
    with pytest.raises(PlainError, match="makes no sitting"):
        plan(candidates=0)
    with pytest.raises(PlainError, match="was never measured"):
        read_costs(tmp_path)  # type: ignore[arg-type]
