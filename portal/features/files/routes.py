"""The one door to stored files: link, person and right are looked at again for each of them, and it is on record."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from litestar import get
from litestar.response import Stream

from infra.local import decode_key
from infra.objects import open_bucket
from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.accounts.contacts import LinkOver
from portal.core.db import Connection
from portal.core.files.links import SOURCES, is_ours
from portal.core.permissions import allows
from portal.core.problems import NotThere

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.objects import Chunks

LONGEST_KEY = 500
# What a stored file could do if a browser showed it: nothing.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


@get("/files", guards=[allows("own.account")])
async def take(request: StaffRequest, db: Connection) -> Stream:
    """A file as an attachment. A link of another person, or one that was changed, is not there; an old one is over."""
    actor, settings = request.scope["user"], request.app.state.settings
    asked = request.query_params
    source, key, until = SOURCES.get(asked.get("of", "")), asked.get("key", "")[:LONGEST_KEY], asked.get("until", "")
    if source is None or not until.isascii() or not until.isdigit() or len(until) > 12:
        raise NotThere
    ours = is_ours(decode_key(settings.link_key), source.code, key, actor.staff_id, int(until), asked.get("sign", ""))
    if not ours or not actor.may(source.permission):
        raise NotThere
    if int(until) <= datetime.now(UTC).timestamp():
        raise LinkOver
    name = await source.name_for(db, actor, key)
    if name is None:
        raise NotThere
    async with contextlib.AsyncExitStack() as opened:
        bucket = await opened.enter_async_context(open_bucket(settings.objects, source.bucket))
        found = await bucket.stream(key)
        if found is None:
            raise NotThere
        await audit.record(db, actor, source.act, kind=source.about, object_id=key, after={"file": name})
        held = opened.pop_all()
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "content-length": str(found.size_bytes),
        "content-security-policy": SANDBOX,
        "cache-control": "private, no-store",
    }
    return Stream(_passed_on(found, held), media_type=source.media, headers=headers)


async def _passed_on(chunks: Chunks, held: contextlib.AsyncExitStack) -> AsyncIterator[bytes]:
    """Piece by piece; the store's connection goes with the last one, or with a reader who leaves."""
    async with held:
        async for chunk in chunks.pieces:
            yield chunk


ROUTES = [take]
