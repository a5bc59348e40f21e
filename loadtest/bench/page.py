"""`python -m loadtest.bench render` writes docs/figures.md from docs/figures/*.json: figures are rendered, never typed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtest.bench.figures import Figure

DOCS = Path(__file__).parent.parent.parent / "docs"
KEPT = DOCS / "figures"
PAGE = DOCS / "figures.md"
HEAD = """\
# Figures

What was measured, each by one command; `ratio` is the peer's value by ours.
A run writes its figure to `build/figures/`; one that is to stand is copied to `docs/figures/`.

| metric | value | unit | peer | ratio | basis | machine | at |
| --- | ---: | --- | --- | ---: | --- | --- | --- |
"""
TAIL = "\nRendered by `python -m loadtest.bench render`; do not edit.\n"


def page() -> str:
    """The whole page, a row a figure, by name."""
    figures = [msgspec.json.decode(path.read_bytes(), type=Figure) for path in sorted(KEPT.glob("*.json"))]
    return HEAD + "".join(_row(figure) for figure in figures) + TAIL


def render() -> None:
    """Write the page."""
    PAGE.write_text(page())


def _row(figure: Figure) -> str:
    peer = "" if figure.peer is None else f"{figure.peer}: {_number(figure.peer_value)}"
    basis = f"{figure.basis} (`{figure.command}`)"
    cells = [f"`{figure.metric}`", _number(figure.value), figure.unit, peer, _number(figure.ratio)]
    cells += [basis, figure.machine, figure.at]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
