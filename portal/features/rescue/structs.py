"""What is in a rescue file, and what it would change."""

from __future__ import annotations

from typing import Any

import msgspec


class Head(msgspec.Struct, frozen=True):
    """The first line of the file, in clear."""

    elumiti: str
    version: int
    sitting: int
    key: str
    nonce: str
    zip: str | None = None


class FileEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the device's log. `value` is kept as the text that the device wrote."""

    seq: int
    kind: str
    item: int | None = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ms: float = 0
    anchor: Any = None
    at: Any = None


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What the device sealed."""

    attempt: int
    device: str
    token: str
    events: list[FileEvent]
    chain: str
    links: list[str] = []
    written: Any = None
    generation: int = 1


class StoredEvent(msgspec.Struct, frozen=True):
    """What Postgres holds of the device."""

    seq: int
    kind: int
    item: int | None
    value: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What taking the file in would do; read before deciding (SAFETY J8)."""

    attempt: int
    device: str
    events: int
    known: int
    new: int
    conflicts: int
    answers_changed: int
    silence_s: int | None
    finished: bool


class TakenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was taken in."""

    attempt_id: int
    pupil: str
    taken_at: Any
    taken_by_name: str | None
    report: dict[str, Any]
