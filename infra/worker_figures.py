"""Figures of the workers of one machine: they share nothing but a folder, and whoever is asked adds up.

Each worker puts what it counted into a file of its own every two seconds; a file that is older than ten is of a worker
that is gone.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WRITE_EVERY_S = 2.0
STALE_S = 10.0


class Dated(Protocol):
    """Figures of a moment, in Unix seconds."""

    at: float


F = TypeVar("F", bound=Dated)


class WorkerFigures(Generic[F]):
    """One worker's file, and the way to everybody's. `kind` is the struct that lies in each."""

    def __init__(self, folder: Path, kind: type[F]) -> None:
        self._folder = folder
        self._path = folder / f"{os.getpid()}.json"
        self._kind = kind

    async def write_for_ever(self, own: Callable[[], F]) -> None:
        """Put the figures where the other workers find them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._path.write_bytes(msgspec.json.encode(own()))
            await asyncio.sleep(WRITE_EVERY_S)

    def others(self, now: float) -> list[F]:
        """Of all other workers that wrote lately."""
        found: list[F] = []
        for path in self._folder.glob("*.json"):
            if path == self._path:
                continue
            try:
                figures = msgspec.json.decode(path.read_bytes(), type=self._kind)
            except (OSError, msgspec.DecodeError):
                continue
            if now - figures.at < STALE_S:
                found.append(figures)
        return found
