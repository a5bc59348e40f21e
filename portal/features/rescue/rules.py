"""Opening a rescue file and weighing it. Pure but for the key that is passed in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from engine.protocol import KINDS, Kind
from portal.features.rescue.problems import NotARescueFile
from portal.features.rescue.structs import FileEvent, Head, Payload, Report, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES = 1_000_000
# A pupil has 20 000 events at the most; what unpacks to more is no log.
MOST_PLAIN = 24 * 2**20
MOST_EVENTS = 20_000
decode_head = msgspec.json.Decoder(Head).decode
decode_payload = msgspec.json.Decoder(Payload).decode


def open_file(body: bytes, private_key: bytes) -> tuple[Head, Payload]:
    """What the device sealed; NotARescueFile for anything altered, cut, or not ours."""
    line, newline, sealed = body.partition(b"\n")
    try:
        head = decode_head(line)
        if not newline or head.elumiti != "rescue" or head.version != 1:
            raise NotARescueFile
        theirs = _bytes(head.key)
        own = X25519PrivateKey.from_private_bytes(private_key)
        shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
        salt = theirs + own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = HKDF(SHA256(), 32, salt, b"elumiti/rescue").derive(shared)
        plain = AESGCM(key).decrypt(_bytes(head.nonce), sealed, line + newline)
        payload = decode_payload(_unzip(plain) if head.zip == "gzip" else plain)
    except (msgspec.DecodeError, ValueError, InvalidTag, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise NotARescueFile from error
    _require_whole(payload)
    return head, payload


def _require_whole(payload: Payload) -> None:
    """Numbers without a gap, and a chain that ends where the file says (an event added or taken away later shows)."""
    if len(payload.events) > MOST_EVENTS or not payload.events:
        raise NotARescueFile
    if [event.seq for event in payload.events] != list(range(1, len(payload.events) + 1)):
        raise NotARescueFile
    link = bytes(32)
    for event in payload.events:
        link = hashlib.sha256(link + log_line(event)).digest()
    if link.hex() != payload.chain or any(event.kind not in KINDS for event in payload.events):
        raise NotARescueFile


def log_line(event: FileEvent) -> bytes:
    """The line that the device hashed: docs/protocol.md, «POST /v1/finish»."""
    return f"{event.seq} {event.kind} {'-' if event.item is None else event.item} {value_text(event) or '-'}\n".encode()


def value_text(event: FileEvent) -> str | None:
    """The value exactly as the device wrote it; None when there is none."""
    return None if isinstance(event.value, msgspec.UnsetType) else bytes(event.value).decode()


def weigh(payload: Payload, stored: Mapping[int, StoredEvent], last_heard_ms: int | None, now_ms: int) -> Report:
    """What is new, what contradicts, and how many questions would have another answer."""
    known = new = conflicts = 0
    for event in payload.events:
        held = stored.get(event.seq)
        if held is None:
            new += 1
        elif (held.kind, held.item, held.value) == (KINDS[event.kind], event.item, value_text(event)):
            known += 1
        else:
            conflicts += 1
    before = _answers((held.seq, held.kind, held.item, held.value) for held in stored.values())
    after = _answers((event.seq, KINDS[event.kind], event.item, value_text(event)) for event in payload.events)
    return Report(
        attempt=payload.attempt,
        device=payload.device,
        events=len(payload.events),
        known=known,
        new=new,
        conflicts=conflicts,
        answers_changed=sum(before.get(item) != value for item, value in after.items()),
        silence_s=None if last_heard_ms is None else max(0, now_ms - last_heard_ms) // 1000,
        finished=_stands_finished(payload.events),
    )


def _stands_finished(events: list[FileEvent]) -> bool:
    """Handed in, and not taken back by an answer after it."""
    last = max((event.seq for event in events if event.kind == "finish"), default=0)
    return last > 0 and not any(event.kind == "answer" and event.seq > last for event in events)


def _answers(events: Iterable[tuple[int, int, int | None, str | None]]) -> dict[int, str | None]:
    latest: dict[int, str | None] = {}
    for _, kind, item, value in sorted(events, key=lambda event: event[0]):
        if kind == Kind.ANSWER and item is not None:
            latest[item] = value  # noqa: PERF403 (the newest wins: the order of the loop is the point)
    return latest


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _unzip(plain: bytes) -> bytes:
    engine = zlib.decompressobj(wbits=31)
    body = engine.decompress(plain, MOST_PLAIN)
    if engine.unconsumed_tail:
        raise NotARescueFile
    return body
