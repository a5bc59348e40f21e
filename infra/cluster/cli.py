"""`elumiti cluster`: the form of many machines on one, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import cyclopts

from infra.cluster.plan import FIRST_PORT, Plan
from infra.cluster.stack import ClusterStack, require_cluster_ports, require_tools
from infra.local import load_secrets
from infra.parts.supervisor import hold_home

app = cyclopts.App(name="cluster", help="The form of many machines, all on this one: to try failovers before the day.")


@app.command
def up(*, first_port: int = FIRST_PORT, folder: Path | None = None) -> None:
    """Start the whole cluster on loopback and serve it until Ctrl-C.

    Parameters
    ----------
    first_port
        The lowest of 40 ports in a row; pupils come to this one, staff to the next.
    folder
        Where all of it lies: ELUMITI_HOME, or var-cluster.
    """
    home = folder or Path(os.environ.get("ELUMITI_HOME", "var-cluster"))
    plan = Plan(home.resolve(), first_port)
    require_tools()
    with hold_home(plan.home) as held:
        load_secrets(plan.home, demo=True)
        asyncio.run(_serve(plan, held))


async def _serve(plan: Plan, held: int) -> None:
    began = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await require_cluster_ports(plan)
    stack = ClusterStack(plan, held)
    starting = asyncio.create_task(_start(stack, began))
    try:
        await asyncio.wait([starting, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await stop.wait()
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await starting
        print("Stopping …", flush=True)
        await stack.stop()


async def _start(stack: ClusterStack, began: float) -> None:
    plan = stack.plan
    await stack.start_servers()
    print("Valkey Cluster, Postgres with its standby, and the object store are up.", flush=True)
    await stack.start_own(portal=True)
    lines = [
        f"Everything is up after {time.monotonic() - began:.0f} s.",
        "",
        f"  Pupils    http://127.0.0.1:{plan.home.ports.engine}/      through HAProxy to two engines",
        f"  Staff     http://127.0.0.1:{plan.home.ports.portal}/",
        f"  Postgres  127.0.0.1:{plan.home.ports.postgres}, through HAProxy to the leader",
        f"  Who leads {' '.join(f'http://127.0.0.1:{node.side}/cluster' for node in plan.postgres[:1])}",
        f"  Logs      {plan.folder / 'log'}",
        "",
        f"Other commands find it by ELUMITI_HOME={plan.folder}. Ctrl-C stops everything.",
    ]
    print("\n".join(lines), flush=True)
