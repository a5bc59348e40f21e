"""Figures are rendered from what was measured, never typed; each says by what command and on what machine."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path

import pytest

from loadtest.bench.page import KEPT, PAGE, page

FIELDS = {"metric", "value", "unit", "peer", "peer_value", "ratio", "basis", "command", "machine", "at"}
FILES = sorted(KEPT.iterdir())


def test_the_page_of_figures_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m loadtest.bench render"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_figure_is_whole(path: Path) -> None:
    figure = json.loads(path.read_text())
    assert figure.keys() == FIELDS
    assert path.name == f"{figure['metric']}.json"
    assert figure["command"].startswith("python -m loadtest.bench ")
    assert all(figure[name] for name in ("unit", "basis", "machine"))
    assert datetime.fromisoformat(figure["at"]).tzinfo is not None
    if figure["peer"] is not None:
        assert math.isclose(figure["ratio"], figure["peer_value"] / figure["value"], rel_tol=0.01)
