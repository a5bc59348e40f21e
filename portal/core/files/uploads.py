"""Files that are kept for some days: lists that people send, and those made for them. A key begins with its day."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from litestar.datastructures import UploadFile

from infra.objects import open_bucket
from portal.core.files.problems import FileUnreadable
from portal.core.problems import TooLarge

if TYPE_CHECKING:
    from infra.settings import ObjectStore
    from portal.core.accounts.structs import StaffRequest

IMPORTS, EXPORTS = "imports", "exports"
# Sent lists are erased after 30 days (SAFETY J10), lists made for a person after 7 (P1).
KEEP_DAYS = {IMPORTS: 30, EXPORTS: 7}
MOST_MB = 64


async def sent_file(request: StaffRequest, name: str = "file") -> tuple[str, bytes]:
    """Name and bytes of the file of a form."""
    sent = (await request.form()).get(name)
    if not isinstance(sent, UploadFile):
        raise FileUnreadable
    body = await sent.read()
    if len(body) > MOST_MB * 2**20:
        raise TooLarge(limit_mb=MOST_MB)
    return sent.filename[:120], body


async def keep(store: ObjectStore, bucket_name: str, owner: str, body: bytes) -> str:
    """Put a file away; its key."""
    key = f"{datetime.now(UTC).date().toordinal()}/{owner}/{uuid.uuid4().hex}"
    async with open_bucket(store, bucket_name) as bucket:
        await bucket.ensure()
        await bucket.put(key, body)
    return key


async def fetch(store: ObjectStore, bucket_name: str, key: str) -> bytes | None:
    """A kept file; None once it is erased."""
    async with open_bucket(store, bucket_name) as bucket:
        await bucket.ensure()
        return await bucket.get(key)


async def erase_old(store: ObjectStore, now: datetime) -> None:
    """Erase what has been kept for its time."""
    for bucket_name, days in KEEP_DAYS.items():
        oldest = now.date().toordinal() - days
        async with open_bucket(store, bucket_name) as bucket:
            await bucket.ensure()
            for key in await bucket.keys():
                if key.split("/")[0].isdigit() and int(key.split("/")[0]) < oldest:
                    await bucket.delete(key)
