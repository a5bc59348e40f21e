"""One more engine beside the session's, with settings of its own: for what must not be so for all tests."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

import httpx
import msgspec

from infra.local import environment
from infra.parts.process import Command, Part
from infra.parts.supervisor import engine_argv
from infra.parts.unused import unused_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from infra.parts.supervisor import Stack


@contextlib.asynccontextmanager
async def another_engine(stack: Stack, settings: Mapping[str, str], workers: int = 2) -> AsyncIterator[str]:
    """Its address, while it runs."""
    home = msgspec.structs.replace(
        stack.home, ports=msgspec.structs.replace(stack.home.ports, engine=unused_ports(1)[0])
    )
    url = f"http://127.0.0.1:{home.ports.engine}"

    async def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(verify=False) as client:
                # Each worker answers for itself: wait until all of them have read their tables.
                return f"elumiti_engine_workers {workers}.0" in (await client.get(f"{url}/metrics")).text
        return False

    with tempfile.TemporaryDirectory() as folder:
        environ = environment(stack.home, "engine") | stack.overrides["engine"] | {"ELUMITI_SNAPSHOT_DIR": folder}
        command = Command(
            name="engine",
            argv=engine_argv(home, workers),
            environ=environ | settings,
            log=stack.home.log("another-engine"),
            ready=ready,
            stop_limit_s=15,
        )
        part = Part(command)
        try:
            await part.up()
            yield url
        finally:
            await part.down()
