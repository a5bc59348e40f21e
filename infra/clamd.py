"""The virus scanner, asked over clamd's own protocol (INSTREAM): a file goes in by pieces, a sentence comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

PIECE_BYTES = 2**16
LIMIT_S = 60.0
LONGEST_ANSWER = 4096
DEFAULT_PORT = 3310


class ScannerAwayError(Exception):
    """The scanner did not answer, or not with a verdict; the file is as unknown as before."""


class Verdict(msgspec.Struct, frozen=True):
    """What the scanner said; `name` is what it found."""

    clean: bool
    name: str = ""


async def scan(url: str, body: bytes) -> Verdict:
    """Have a file looked at by the scanner at `tcp://HOST:PORT` or `unix:///PATH`."""
    answer = await _ask(url, b"zINSTREAM\0", body)
    # «stream: OK», «stream: Win.Test.EICAR_HDB-1 FOUND», «INSTREAM size limit exceeded. ERROR».
    text = answer.removeprefix("stream: ")
    if text == "OK":
        return Verdict(clean=True)
    if text.endswith(" FOUND"):
        return Verdict(clean=False, name=text.removesuffix(" FOUND"))
    raise ScannerAwayError(text or "no answer")


async def version(url: str) -> str:
    """Program and age of its signatures, as it says them."""
    return await _ask(url, b"zVERSION\0", None)


async def _ask(url: str, command: bytes, body: bytes | None) -> str:
    try:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await _connect(url)
            try:
                writer.write(command)
                for start in range(0, len(body), PIECE_BYTES) if body is not None else ():
                    piece = body[start : start + PIECE_BYTES] if body else b""
                    writer.write(len(piece).to_bytes(4, "big") + piece)
                    await writer.drain()
                if body is not None:
                    writer.write(bytes(4))
                await writer.drain()
                return (await reader.read(LONGEST_ANSWER)).decode(errors="replace").strip("\0\n ")
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise ScannerAwayError(str(error) or type(error).__name__) from error


async def _connect(url: str) -> tuple[StreamReader, StreamWriter]:
    split = urlsplit(url)
    if split.scheme == "unix" and split.path:
        return await asyncio.open_unix_connection(split.path)
    if split.scheme == "tcp" and split.hostname:
        return await asyncio.open_connection(split.hostname, split.port or DEFAULT_PORT)
    raise ValueError("write it as tcp://HOST:3310 or unix:///run/clamav/clamd.ctl")
