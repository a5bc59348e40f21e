"""What a stranger's bytes meet before anything is known of him: each a function that takes bytes and may raise nothing.

A refusal (`Problem`, `DecodeError`) is an answer; any other exception is a find, and so is an event that passed and that
Postgres could not hold. `tests/fuzz/test_fuzz.py` runs them for a second each, `make fuzz` for a million inputs.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from engine.board import Board
from engine.codes import hash_code, normalise_code
from engine.flusher.entries import decode_entry
from engine.flusher.write import Memory, rows_of, seen_control
from engine.problems import Problem
from engine.protocol import KINDS, MAX_VALUE_BYTES, DeviceBody, Kind, SaveRecord, SignIn
from engine.records import read_save, stored_events, tombstones
from engine.routes.bundles import one_range
from engine.routes.http import read_body
from engine.routes.save import standing
from engine.tokens import Claims, SignedTimes, Tokens
from infra.callers import caller, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from granian.rsgi import Scope

KEY = b"k" * 32
NOW_MS = 1_764_057_660_201
tokens = Tokens({1: KEY, 2: b"j" * 32})
times = SignedTimes(KEY, b"o" * 32)
encode = msgspec.msgpack.Encoder().encode
sign_in = msgspec.json.Decoder(SignIn)
device_body = msgspec.json.Decoder(DeviceBody)
board = Board()
INT4, INT8 = 2**31, 2**63
KIND_NUMBERS = {*KINDS.values(), Kind.REFUSED}


class _Scope:
    """A request whose headers do not matter."""

    headers: dict[str, str] = {}  # noqa: RUF012


SCOPE: Scope = _Scope()  # type: ignore[assignment]


def save(data: bytes) -> None:
    """The body of a save: all that passes can be written to a stream, read from it, and held by Postgres."""
    try:
        batch, refused = read_save(data)
        events = stored_events(batch, refused, times, (20817, 7), NOW_MS)
    except Problem:
        return
    events += tombstones(refused, events)
    for receipt in batch.open:
        assert standing(board, receipt) in {"durable", "wait", "again"}
    msgspec.json.encode(refused)
    record = SaveRecord(3, 4711, b"d" * 16, NOW_MS, 0, events)
    (back,) = decode_entry(b"\xdd\x00\x00\x00\x01" + encode(record))
    assert back == record
    fresh, again = rows_of([record], Memory())
    for *_, seq, kind, item, value, anchor_ms, since_ms, _, marks in fresh + again:
        assert kind in KIND_NUMBERS
        assert 0 < seq < INT4
        assert 0 <= since_ms < INT4
        assert 0 <= marks < 2**15
        assert item is None or 0 <= item < INT4
        assert anchor_ms is None or 0 <= anchor_ms < INT8
        if value is not None:
            assert len(value.encode()) <= MAX_VALUE_BYTES
            assert "\x00" not in value
            assert "\\u0000" not in value
            msgspec.json.decode(value)
    for event in events:
        version = seen_control(event)
        assert version is None or 0 < version < INT4


def signing_in(data: bytes) -> None:
    """The body of a sign-in, and the code in it."""
    with contextlib.suppress(Problem):
        asked = read_body(SCOPE, sign_in, data)
        assert len(bytes.fromhex(asked.device)) == 16
        code(asked.code.encode())


def code(data: bytes) -> None:
    """A code as somebody typed it: what reads as one of ours is one of twelve characters."""
    found = normalise_code(data.decode(errors="replace"))
    if found is not None:
        assert len(found) == 12
        assert len(hash_code(found, KEY)) == 16


def device(data: bytes) -> None:
    """The body of resume and have."""
    with contextlib.suppress(Problem):
        assert len(bytes.fromhex(read_body(SCOPE, device_body, data).device)) == 16


def token(data: bytes) -> None:
    """A token: nothing that we did not sign is genuine, with and without its frame."""
    text = data.decode("latin-1")
    for header in (text, "Bearer " + text, "Bearer " + text[:96].ljust(96, "A")):
        assert tokens.verify(header) is None
    # And one of ours with a bit turned over is none of ours.
    genuine = tokens.sign(Claims(4711, 3, 0, 1_764_061_212, 0, 0, b"d" * 16))
    if data:
        place, bit = data[0] % len(genuine), 1 << (data[-1] % 7)
        bent = genuine[:place] + chr(ord(genuine[place]) ^ bit) + genuine[place + 1 :]
        assert tokens.verify(f"Bearer {bent}") is None


def anchor(data: bytes) -> None:
    """A signed time."""
    text = data.decode(errors="replace")[:64]
    assert times.verify(text) is None
    assert standing(board, text) in {"durable", "wait", "again"}


def headers(data: bytes) -> None:
    """Headers that are read: a range, and for whom a proxy says to ask."""
    text = data.decode("latin-1")
    with contextlib.suppress(Problem):
        first, last = one_range(text, 18_231)
        assert 0 <= first <= last < 18_231
    place_of(caller("10.0.0.1", text, ["10.0.0.0/8"]))
    place_of(text)


def entry(data: bytes) -> None:
    """An entry of a stream as the flusher reads it: what isn't ours is a dead letter, not a stop."""
    with contextlib.suppress(msgspec.DecodeError):
        for record in decode_entry(data):
            encode(record)


TARGETS: tuple[Callable[[bytes], None], ...] = (save, signing_in, code, device, token, anchor, headers, entry)


def one_input(data: bytes) -> None:
    """An input of the fuzzer: the first byte picks who gets the rest; half of all go to the save."""
    if data:
        TARGETS[max(0, data[0] % 16 - 8)](data[1:])
