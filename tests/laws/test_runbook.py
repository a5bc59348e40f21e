"""The runbook names only what there is: at three in the morning nobody looks for a page that was renamed."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from engine.metrics import NAMES
from infra.cli import GROUP
from infra.settings import PREFIX, PROCESSES
from portal.core.controls.rules import KINDS

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "operations").glob("*.md"))
# Engine's addresses and those of other programs.
FOREIGN = ("/v1/", "/ready", "/metrics", "/cluster", "/primary", "/health")


def words(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_settings_and_metrics_are_real(page: Path) -> None:
    text = page.read_text()
    commands = {point.name for point in entry_points(group=GROUP)}
    assert words(r"`elumiti ([a-z-]+)", text) <= commands
    settings = {PREFIX + name.upper() for process in PROCESSES.values() for name in process.__struct_fields__}
    assert words(r"\b(ELUMITI_[A-Z_]+)\b", text) <= settings | {"ELUMITI_HOME"}
    metrics = words(r"\b(elumiti_engine_[a-z_]+)\b", text)
    assert {name.removesuffix("_total") for name in metrics} <= set(NAMES)
    for link in words(r"\]\(([^)#]+)", text):
        assert (page.parent / link).resolve().exists(), link


def test_pages_of_the_portal_and_kinds_of_controls_are_real() -> None:
    text = (ROOT / "docs" / "operations" / "runbook.md").read_text()
    assert words(r"kind=([a-z]+)", text) <= set(KINDS)
    sources = "\n".join(path.read_text() for path in (ROOT / "portal").rglob("*.py"))
    paths = {re.sub(r"\{[^}]*\}", "*", path) for path in words(r"@(?:get|post)\(\"([^\"]+)\"", sources)}
    named = {
        re.sub(r"\b(SITTING|ID|csv)\b", "*", path.split("?")[0])
        for path in words(r"`(/[a-zA-Z/_-]+[^` ]*)`", text)
        if not path.startswith(FOREIGN)
    }
    assert named
    assert named <= paths
