"""The embedded S3 object store (nanio): put, multipart, get with range, list, delete; nothing else of it is used.

Granian serves it, as all of ours, and not uvicorn, which nanio starts by itself: 41 in place of 57 µs of processor time for
12 KB that come in segments of 8 MB (docs/performance.md).
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from infra.errors import PlainError
from infra.local import Home, Secrets, keep_private
from infra.parts.process import GIVING_WAY, Command, die_with_parent, granian_argv, port_answers

if TYPE_CHECKING:
    from starlette.applications import Starlette


def command(home: Home, secrets: Secrets) -> Command:
    """How to start the store, on loopback only (it would bind all addresses)."""
    if importlib.util.find_spec("nanio") is None:
        what = "The embedded object store is not installed."
        raise PlainError(what, "Install with the extra `embedded`, or give ELUMITI_OBJECTS.")
    data = home.part("objects")
    keep_private(data)

    async def ready() -> bool:
        return await port_answers(home.ports.objects)

    words = ["--http", "1", "--factory", f"{__name__}:{application.__name__}"]
    return Command(
        name="objects",
        argv=[*GIVING_WAY, *granian_argv("asginl", "127.0.0.1", home.ports.objects, *words)],
        environ={
            "NANIO_DATA_DIR": str(data),
            "NANIO_ACCESS_KEY": secrets.objects_access_key,
            "NANIO_SECRET_KEY": secrets.objects_secret_key,
        },
        log=home.log("objects"),
        ready=ready,
    )


def application() -> Starlette:
    """What granian calls in its worker."""
    # Not installed where another store is used.
    from nanio.app import build_app

    die_with_parent()
    return build_app()
