"""Short-lived links to files of the object store: for one file, one signed-in person, some minutes (issue 5, SAFETY P2).

A link is no right: the route that answers it asks the file's own source again whether this person may read it now. A
feature registers its files as a source and puts `path_of` into its page.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from portal.core.permissions.catalogue import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

    MayRead = Callable[[Connection, Actor, str], Awaitable[str | None]]
else:
    MayRead = object

LIVES = timedelta(minutes=5)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Files of one kind. `name_for` says under which name this person may have a key, and None where he may not.

    `act`: what the audit trail says of each file that is taken, about an object of the kind `about`.
    """

    code: str
    bucket: str
    permission: str
    media: str
    name_for: MayRead
    act: str
    about: str


SOURCES: dict[str, Source] = {}


def register(source: Source) -> Source:
    """Make files known; a code is registered once."""
    if source.code in SOURCES or source.permission not in BY_CODE:
        msg = f"The files {source.code!r} are registered twice, or their permission is not in the catalogue."
        raise ValueError(msg)
    SOURCES[source.code] = source
    return source


def path_of(link_key: bytes, source: Source, key: str, reader: int, now: datetime) -> str:
    """The link that this person's page shows."""
    until = int((now + LIVES).timestamp())
    signature = sign(link_key, source.code, key, reader, until)
    return "/files?" + urlencode({"of": source.code, "key": key, "until": until, "sign": signature})


def is_ours(link_key: bytes, source: str, key: str, reader: int, until: int, signature: str) -> bool:
    """Whether we made this link for this person; its time is looked at apart."""
    return hmac.compare_digest(sign(link_key, source, key, reader, until).encode(), signature.encode())


def sign(link_key: bytes, source: str, key: str, reader: int, until: int) -> str:
    """What only we can have written: that this reader may ask for this file until then."""
    # JSON, so that no two different links are the same text.
    return hmac.digest(link_key, b"file:" + msgspec.json.encode([source, key, reader, until]), "sha256").hex()
