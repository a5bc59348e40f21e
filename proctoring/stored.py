"""Which pictures became stored since a phone last heard: told once, with the next reply.

The workers of a machine tell each other by datagram, for a phone's next request may come to another of them. A word that
is lost costs a picture sent twice, nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

if TYPE_CHECKING:
    from proctoring.segments import Entry

log = structlog.get_logger()
encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode

# A phone keeps 40; one that has not asked for this long has been told by another, or sends again.
MOST = 40
GENERATION_S = 300.0
PAIRS = 2000
SOCKET = ".sock"


class Stored:
    """attempt → numbers of its pictures, for two generations."""

    def __init__(self, root: Path) -> None:
        self._young: dict[int, list[int]] = {}
        self._old: dict[int, list[int]] = {}
        self._turned = time.monotonic()
        self._root = root
        self._path = root / f"{socket.gethostname()[:8]}-{time.monotonic_ns():x}{SOCKET}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(str(self._path))
        except OSError as error:
            # A path too long for a socket: then this worker is alone.
            log.info("proctoring.stored.alone", reason=str(error))
        else:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._hear)

    def add(self, entries: list[Entry]) -> None:
        """These are in the store and in the index."""
        pairs = [(entry.attempt, entry.seq) for entry in entries if entry.kind != 4]
        self._note(pairs)
        for start in range(0, len(pairs), PAIRS):
            word = encode(pairs[start : start + PAIRS])
            for path in self._root.glob(f"*{SOCKET}"):
                if path != self._path:
                    self._tell(path, word)

    def take(self, attempt: int) -> list[int]:
        """What this phone is told now."""
        found = self._young.pop(attempt, None)
        older = self._old.pop(attempt, None) if self._old else None
        return (older or []) + (found or [])

    def _tell(self, path: Path, word: bytes) -> None:
        try:
            self._socket.sendto(word, str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            # Its process is dead.
            path.unlink(missing_ok=True)
        except OSError as error:
            log.info("proctoring.stored.not_told", reason=str(error))

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._note(decode(self._socket.recv(2**18)))

    def _note(self, pairs: list[tuple[int, int]]) -> None:
        if time.monotonic() - self._turned > GENERATION_S:
            self._old, self._young, self._turned = self._young, {}, time.monotonic()
        young = self._young
        for attempt, seq in pairs:
            told = young.get(attempt)
            if told is None:
                young[attempt] = [seq]
            elif len(told) < MOST:
                told.append(seq)

    def close(self) -> None:
        """Leave no address behind."""
        with contextlib.suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._path.unlink(missing_ok=True)
