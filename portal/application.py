"""The portal put together: the features' routes around one pool, one queue, one way to say what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

# First: pydantic looks for the source of each of its classes among all modules that are loaded by then. Last, a start of
# the portal takes a tenth longer (1.9 s of CPU in place of 1.7).
import scim2_models  # noqa: F401 # isort: split
import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.static_files import create_static_files_router

from infra.local import decode_key
from infra.migrate import require_current
from portal.core.accounts.csrf import require_token
from portal.core.db import Pool, connection, open_pool
from portal.core.front import Front
from portal.core.jobs.worker import Queues
from portal.core.permissions.guards import public, require_declared
from portal.core.problems.rendering import HANDLERS
from portal.core.ui.pages import STATIC
from portal.features.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.settings import PortalSettings

log = structlog.get_logger()
# Forms are small; the two routes that take files say their own limit.
MOST_BODY_BYTES = 2**20
FOREVER_S = 365 * 86400


def create_app(settings: PortalSettings) -> Front:
    """The application that granian serves; `.inner` is the Litestar one."""

    @contextlib.asynccontextmanager
    async def resources(app: Litestar) -> AsyncIterator[None]:
        app.state.pool = await _first_pool(settings.database_url)
        app.state.queues = Queues(settings.valkey_url, settings.streams_url)
        try:
            yield
        finally:
            await app.state.queues.close()
            await app.state.pool.close()

    files = create_static_files_router(
        path="/static",
        directories=[STATIC],
        guards=[public],
        cache_control=None,
        name="static",
        include_in_schema=False,
    )
    inner = Litestar(
        route_handlers=[*ROUTES, files],
        lifespan=[resources],
        dependencies={"db": Provide(connection)},
        before_request=require_token,
        exception_handlers=HANDLERS,
        openapi_config=None,
        request_max_body_size=MOST_BODY_BYTES,
        state=State({"settings": settings}),
    )
    require_declared(handler for handler in ROUTES if isinstance(handler, BaseRouteHandler))
    front = Front(
        inner,
        csrf_key=decode_key(settings.csrf_key),
        secure=settings.secure_cookies,
        trusted_proxies=settings.trusted_proxies,
    )
    inner.state.front = front
    return front


async def _first_pool(url: str) -> Pool:
    """The pool, once the database is there and of our schema; a database that is still starting is waited for."""
    for attempt in range(60):
        try:
            pool = await open_pool(url)
            break
        except OSError:
            if attempt == 59:
                raise
            await asyncio.sleep(0.5)
    else:
        raise AssertionError
    async with pool.acquire() as taken:
        await require_current(taken)
    return pool


__all__ = ["create_app"]
