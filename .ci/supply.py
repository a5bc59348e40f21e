"""What we are made of, and what is known against it: bills of materials and audits into build/supply/.

A report and never a gate (SAFETY J9): the audits ask public services, and a service that is away is one line of it.
Uses what is pinned already, uv and the Node wheel's npm, so that the report adds nothing to what it reports on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pages import NODE, NPM, PAGES, ROOT

OUT = ROOT / "build" / "supply"
UV = ROOT / ".venv" / "tool" / "bin" / "uv"
LIMIT_S = 60


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [bill("python", [UV, "export", "--quiet", "--frozen", "--all-extras", "--format", "cyclonedx1.5"], ROOT)]
    lines += [
        bill(name, [*NPM, "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], folder)
        for name, folder in PAGES.items()
    ]
    lines.append(
        audit("python", [UV, "audit", "--frozen", "--preview-features=audit-command", "--output-format=json"], ROOT)
    )
    lines += [audit(name, [*NPM, "audit", "--json"], folder) for name, folder in PAGES.items()]
    (OUT / "report.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), flush=True)
    return 0


def bill(name: str, words: list[str | Path], folder: Path) -> str:
    """Write a CycloneDX bill of materials; one line about it."""
    said, text, _ = run(words, folder)
    try:
        count = len(json.loads(text)["components"])
    except (ValueError, KeyError):
        return f"sbom  {name:<7} not made: {said}"
    (OUT / f"sbom-{name}.cdx.json").write_text(text)
    return f"sbom  {name:<7} {count} components"


def audit(name: str, words: list[str | Path], folder: Path) -> str:
    """Keep the audit's own answer; one line about it. Both tools end with 1 where they know of something."""
    said, text, code = run(words, folder)
    try:
        answer: dict[str, Any] = json.loads(text)
        known = findings(answer)
    except (ValueError, KeyError, TypeError):
        return f"audit {name:<7} not made: {said}"
    (OUT / f"audit-{name}.json").write_text(text)
    if code == 0 or not known:
        return f"audit {name:<7} nothing known"
    return f"audit {name:<7} {known} known, see build/supply/audit-{name}.json"


def findings(answer: dict[str, Any]) -> int:
    """How many weaknesses an answer names; npm counts them, uv lists them. KeyError: it is no answer."""
    if "metadata" in answer:
        return int(answer["metadata"]["vulnerabilities"]["total"])
    return len(answer["vulnerabilities"])


def run(words: list[str | Path], folder: Path) -> tuple[str, str, int]:
    """The line that says what it complained of, its answer, its exit code."""
    environ = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}", "UV_HTTP_RETRIES": "1"}
    try:
        done = subprocess.run(
            words, cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {LIMIT_S} s", "", 1
    # uv tells the cause last, npm first and then where its log is.
    errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")][:1]
    said = (errors or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return said.strip(), done.stdout, done.returncode


if __name__ == "__main__":
    sys.exit(main())
