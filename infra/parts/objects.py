"""The embedded S3 object store (nanio): put, multipart, get with range, list, delete; nothing else of it is used."""

from __future__ import annotations

import importlib.util
import sys

from infra.errors import PlainError
from infra.local import Home, Secrets, keep_private
from infra.parts.process import GIVING_WAY, Command, port_answers


def command(home: Home, secrets: Secrets) -> Command:
    """How to start the store, on loopback only (it would bind all addresses)."""
    if importlib.util.find_spec("nanio") is None:
        what = "The embedded object store is not installed."
        raise PlainError(what, "Install with the extra `embedded`, or give ELUMITI_OBJECTS.")
    data = home.part("objects")
    keep_private(data)

    async def ready() -> bool:
        return await port_answers(home.ports.objects)

    return Command(
        name="objects",
        argv=[
            *[*GIVING_WAY, sys.executable, "-m", "nanio", "serve", "--data-dir", str(data), "--host", "127.0.0.1"],
            *["--port", str(home.ports.objects), "--no-access-log", "--log-level", "warning"],
        ],
        environ={"NANIO_ACCESS_KEY": secrets.objects_access_key, "NANIO_SECRET_KEY": secrets.objects_secret_key},
        log=home.log("objects"),
        ready=ready,
    )
