"""The report."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtest.nation.measures import Result


def write_report(result: Result, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))
    return out / "report.json"
