"""The report of a run: one HTML file that needs nothing else, and the same as JSON."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import jinja2
import matplotlib as mpl
import msgspec
import psutil

from loadtest.nation.verdict import facts

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from loadtest.nation.measures import Result

mpl.use("svg")
mpl.rcParams |= {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.spines.top": False}
mpl.rcParams |= {"axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "svg.hashsalt": "report"}
# Of a legend: over the plot, so that no line runs through it.
ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.0}
COLOURS = {
    "engine": "#0b6e99",
    "flusher": "#2e8b57",
    "valkey": "#c0392b",
    "postgres": "#6c5ce7",
    "generator": "#999999",
}


def write_report(result: Result, out: Path) -> Path:
    """Write report.html and report.json into a folder; returns the page."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("loadtest.nation", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html").render(
        result=result, facts=facts(result), plots=plots(result), dict_of=msgspec.structs.asdict
    )
    path = out / "report.html"
    path.write_text(page)
    return path


def plots(result: Result) -> list[tuple[str, str]]:
    """(title, SVG) of each plot; time is minutes after T0."""
    drawn = [
        ("Saves answered a second", _rate),
        ("Latency of saves, from when each was due (logarithmic)", _latency),
    ]
    if result.samples:
        # Joined generators look at no processes: those run elsewhere.
        drawn += [
            ("CPU of each process, in cores", _cpu),
            ("Memory of each process", _memory),
            ("How far Postgres is behind the streams", _lag),
        ]
    return [(title, _svg(result, draw)) for title, draw in drawn]


def _svg(result: Result, draw: object) -> str:
    # A figure of its own, not pyplot's: nothing global is left behind.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 2.6), layout="constrained")
    axes = figure.subplots()
    draw(result, axes)  # type: ignore[operator]
    axes.set_xlabel("minutes after T0")
    for at in (0.0, (result.stops_s - result.t0_s) / 60):
        axes.axvline(at, color="#333333", linewidth=0.8, linestyle=":")
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]


def _minutes(result: Result, seconds: list[float]) -> list[float]:
    return [(second - result.t0_s) / 60 for second in seconds]


def _rate(result: Result, axes: Axes) -> None:
    at = _minutes(result, [row[0] for row in result.seconds])
    axes.plot(at, [row[1] for row in result.seconds], color=COLOURS["engine"], linewidth=0.9)
    axes.set_ylim(bottom=0)


def _latency(result: Result, axes: Axes) -> None:
    at = _minutes(result, [row[0] for row in result.seconds])
    axes.plot(at, [row[2] for row in result.seconds], color=COLOURS["flusher"], linewidth=0.9, label="median")
    axes.plot(at, [row[3] for row in result.seconds], color=COLOURS["valkey"], linewidth=0.9, label="99 %")
    axes.set_yscale("log")
    axes.set_ylabel("ms")
    axes.legend(frameon=False, ncols=2, **ABOVE)


def _cpu(result: Result, axes: Axes) -> None:
    for name in result.samples[-1].cpu if result.samples else ():
        pairs = list(zip(result.samples, result.samples[1:], strict=False))
        cores = [(b.cpu[name] - a.cpu.get(name, 0.0)) / (b.at_s - a.at_s) for a, b in pairs]
        at = _minutes(result, [b.at_s for _, b in pairs])
        axes.plot(at, cores, label=name, color=COLOURS.get(name), linewidth=0.9)
    cores_here = psutil.cpu_count() or 1
    free = [sample.idle / 100 * cores_here for sample in result.samples[1:]]
    at = _minutes(result, [sample.at_s for sample in result.samples[1:]])
    axes.plot(at, free, label="free", color="#555555", linewidth=0.9, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=6, **ABOVE)


def _memory(result: Result, axes: Axes) -> None:
    at = _minutes(result, [sample.at_s for sample in result.samples])
    for name in result.samples[-1].rss_mb if result.samples else ():
        held = [sample.rss_mb.get(name, 0.0) for sample in result.samples]
        axes.plot(at, held, label=name, color=COLOURS.get(name), linewidth=0.9)
    axes.set_ylabel("MB")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=5, **ABOVE)


def _lag(result: Result, axes: Axes) -> None:
    seen = [sample for sample in result.samples if sample.lag_s >= 0]
    axes.plot(_minutes(result, [sample.at_s for sample in seen]), [sample.lag_s for sample in seen], linewidth=0.9)
    axes.set_ylabel("seconds")
    axes.set_ylim(bottom=0)
