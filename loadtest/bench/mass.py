"""The mass sitting and the ceiling: `elumiti loadtest` at full scale, kept as figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import PlainError
from loadtest.bench.figures import Figure, write
from loadtest.nation.report import write_report
from loadtest.nation.run import run
from loadtest.nation.scenario import Nation

if TYPE_CHECKING:
    from loadtest.nation.measures import Result

OUT = Path("build/loadtest")
SIGN_INS_A_SECOND = 2000
# Of the 90 s in which all keys are to be out: with the default minute, keys and saves together ask for more than two
# cores have in its last seconds.
SPREAD_S = 80.0


async def mass(candidates: int, minutes: float, workers: int) -> None:
    """A whole sitting at true pace; writes six figures."""
    result = await _play("mass", candidates, minutes, workers)
    basis = basis_of(result)
    save, key = result.latencies["save"], result.latencies["key"]
    ledger = result.ledger
    figures = {
        "mass_candidates": (float(candidates), "candidates"),
        "mass_save_p99_ms": (round(save.p99, 1), "ms"),
        "mass_lost": (float(ledger.lost), "events"),
        "keys_all_s": (round(result.keys_all_s, 1), "s"),
        "key_p99_ms": (round(key.p99, 1), "ms"),
    }
    for metric, (value, unit) in figures.items():
        write(Figure(metric=metric, value=value, unit=unit, basis=basis))
    require_clean(result)


async def ceiling(candidates: int, minutes: float, workers: int) -> None:
    """More than one asks for; the figure is the number of candidates if p99 stays within a second."""
    result = await _play("ceiling", candidates, minutes, workers)
    p99 = result.latencies["save"].p99
    if p99 > 1000:
        raise PlainError(f"{candidates} candidates: p99 {p99:.0f} ms is beyond a second.", "Ask for fewer.")
    write(Figure(metric="ceiling_candidates", value=candidates, unit="candidates", basis=basis_of(result)))
    require_clean(result)


def nation_of(candidates: int, minutes: float, workers: int) -> Nation:
    """A whole sitting at true pace."""
    return Nation(
        candidates=candidates,
        minutes=minutes,
        sign_in_s=max(5.0, candidates / SIGN_INS_A_SECOND),
        spread_s=SPREAD_S,
        workers=workers,
    )


async def _play(name: str, candidates: int, minutes: float, workers: int) -> Result:
    result = await run(nation_of(candidates, minutes, workers))
    print(write_report(result, OUT / name))
    return result


def require_clean(result: Result) -> None:
    """A figure of a run that lost something is no figure."""
    if not result.ledger.clean:
        raise PlainError("The ledger is not clean.", "; ".join(result.ledger.examples[:3]))


def basis_of(result: Result) -> str:
    """What the figure rests on, in a sentence or two."""
    nation, ledger, save = result.nation, result.ledger, result.latencies["save"]
    refused = (
        ", ".join(f"{count} × {route} {status} {code}" for route, status, code, count in result.refusals) or "none"
    )
    span = result.spans.get("saves")
    cpu = ", ".join(f"{name} {span.per_request_us(name):.0f}" for name in span.cpu_s) if span else "-"
    rate = span.requests / (span.ends_s - span.begins_s) if span else 0
    return (
        f"{nation.candidates} candidates for {nation.minutes:g} min, one save in {nation.save_every_s:g} s ({rate:.0f}/s), "
        f"{nation.workers} engine worker(s), generator on the same cores with {nation.connections} connections; "
        f"save p50 {save.p50:.0f} ms, p99 {save.p99:.0f} ms, longest {save.longest:.0f} ms; "
        f"{100 * nation.lost_acks:g} % of answers lost on the way; "
        f"{ledger.acknowledged} events acknowledged, {ledger.durable} in Postgres, {ledger.lost} lost, "
        f"{ledger.duplicated + ledger.conflicts} doubled, {ledger.altered + ledger.unknown} altered; answers other than "
        f"success: {refused}; {result.counts.get('final receipts', 0)} final receipts, the last "
        f"{result.last_receipt_s:.0f} s after the bell; CPU µs a save: {cpu}"
    )
