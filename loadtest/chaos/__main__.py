"""`make chaos` or `python -m loadtest.chaos [CASE …]`: break it, count, keep what was seen in build/chaos."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop

from infra import log
from infra.errors import PlainError
from loadtest.chaos import callers, kills, outages, pictures, restores
from loadtest.chaos.case import NATION, Case, run_case, write

LONG = msgspec.structs.replace(NATION, minutes=6.0, candidates=2000)
CASES = [
    Case(name="worker-killed", told="engine workers die by kill -9", deed=kills.kill_workers),
    Case(name="flusher-killed", told="the flusher dies by kill -9", deed=kills.kill_flusher),
    Case(
        name="flusher-killed-at-commit",
        told="the flusher dies between COPY and COMMIT",
        deed=kills.kill_flusher_at_commit,
    ),
    Case(name="valkey-killed", told="Valkey dies by kill -9", deed=kills.kill_valkey),
    Case(name="postgres-killed", told="Postgres dies by kill -9", deed=kills.kill_postgres),
    Case(name="valkey-wiped", told="Valkey loses all its data, 3 s of it not in Postgres", deed=kills.wipe_valkey),
    Case(
        name="replica-promoted",
        told="a replica without the last 2 s, its clock behind, is made the primary; the old one lives on",
        deed=restores.promote_late_replica,
        before=restores.two_valkeys,
        require=restores.require_faketime,
    ),
    Case(
        name="postgres-restored",
        told="Postgres comes back as it was five minutes ago",
        deed=restores.restore_postgres,
        nation=LONG,
    ),
    Case(name="two-flushers", told="two flushers at once, one of them frozen again and again", deed=kills.two_flushers),
    Case(name="worker-frozen", told="a worker is frozen with its XADD on the wire", deed=kills.freeze_worker),
    Case(name="valkey-frozen", told="Valkey is frozen for 20 s", deed=outages.freeze_valkey),
    Case(name="postgres-down", told="Postgres is away for 5 minutes", deed=outages.postgres_down, nation=LONG),
    Case(
        name="memory-full",
        told="Postgres is away and Valkey's memory comes to its bound for 30 s",
        deed=outages.fill_memory,
        nation=msgspec.structs.replace(NATION, minutes=2.0),
    ),
    Case(
        name="disk-full",
        told="the disk below the append-only file is full for 10 s",
        deed=outages.fill_disk,
        before=outages.small_disk,
    ),
    Case(name="clocks-wrong", told="a third of the phones are three hours ahead", deed=outages.wrong_clocks),
    Case(name="replays", told="requests come doubled, reordered, late and cut", deed=callers.replay),
    Case(name="slow-loris", told="500 callers send a few bytes a second", deed=callers.slow_loris),
    Case(name="reconnects", told="10 000 reconnect in a second", deed=callers.reconnects),
]


def main(names: list[str]) -> int:
    """Run the cases; 1 if one was not clean; a PlainError names one that this machine can't make."""
    cases = [*CASES, *pictures.CASES]
    unknown = set(names) - {case.name for case in cases}
    if unknown:
        raise PlainError(
            f"No such case: {', '.join(sorted(unknown))}.", f"There are {', '.join(c.name for c in cases)}."
        )
    chosen = [case for case in cases if not names or case.name in names]
    for case in chosen:
        if isinstance(case, Case) and case.require:
            case.require()
    failed = 0
    for case in chosen:
        print(f"{case.name}: {case.told} …", flush=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            work = run_case(case, quiet=True) if isinstance(case, Case) else pictures.run_case(case)
            outcome = runner.run(work)
        write(outcome)
        print(f"    {outcome.line()}", flush=True)
        failed += not outcome.clean
    return min(failed, 1)


if __name__ == "__main__":
    log.configure()
    try:
        code = main(sys.argv[1:])
    except PlainError as error:
        print(error, file=sys.stderr)
        code = 1
    sys.exit(code)
