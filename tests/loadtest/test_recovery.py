"""What a case of chaos says of the way back: when Postgres had caught up, and that a case is made as it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from infra.errors import PlainError
from loadtest.chaos import restores
from loadtest.chaos.__main__ import main
from loadtest.chaos.case import Scene, durable_again_s
from loadtest.nation.watch import Sample

BEGAN_S = 20.0


@pytest.mark.parametrize(
    ("lags", "seconds"),
    [
        # (seconds into the run, seconds that Postgres is behind; -1: it could not be asked)
        ([(18, 0.4), (22, 0.3), (24, 0.5)], 0),
        ([(18, 0.4), (22, -1), (24, -1), (26, 5.0), (28, 0.4)], 8),
        ([(18, 2.0), (22, 2.5), (24, 9.0), (26, 2.9)], 6),
        ([(18, 0.4), (22, 6.0), (24, 0.2), (26, 7.0), (28, 0.1)], 8),
    ],
)
def test_it_is_said_when_postgres_had_caught_up(lags: list[tuple[float, float]], seconds: float) -> None:
    scene = Scene(cast("Any", _NoPlay()))
    scene.began_s = BEGAN_S
    assert durable_again_s(scene, [_sample(at_s, lag_s) for at_s, lag_s in lags]) == seconds


def test_a_case_that_this_machine_cannot_make_is_said_before_any_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica whose clock is right would be another case than the one that is told."""
    monkeypatch.setattr(restores, "FAKETIME", Path("/nowhere/libfaketime.so.1"))
    with pytest.raises(PlainError, match="No faketime here"):
        main(["worker-killed", "replica-promoted"])


class _NoPlay:
    stack = None


def _sample(at_s: float, lag_s: float) -> Sample:
    calm: dict[str, Any] = {"cpu": {}, "rss_mb": {}, "idle": 50.0, "valkey_mb": 1.0, "answers": 0, "waiting": 0}
    return Sample(at_s=at_s, lag_s=lag_s, flying=0, **calm)
