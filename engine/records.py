"""Reading a save: from the body's bytes to a record for the stream, with a verdict for each event (rule 7).

What Postgres could not hold is refused here, before any acknowledgement; everything else is stored, marked if odd.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET

from engine import protocol
from engine.problems import Problem
from engine.protocol import (
    KINDS,
    MAX_EVENTS,
    MAX_SEQ,
    MAX_VALUE_BYTES,
    WITH_ITEM,
    Event,
    Kind,
    Mark,
    Refused,
    StoredEvent,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from engine.tokens import SignedTimes

decode_save = msgspec.json.Decoder(protocol.Save).decode
decode_unread = msgspec.json.Decoder(protocol.SaveUnread).decode
decode_event = msgspec.json.Decoder(Event).decode
# Exactly what a value may be; two levels at most, so depth needs no counting.
decode_value = msgspec.json.Decoder(int | str | None | list[int] | dict[str, int | str]).decode

VALUE_OF: dict[int, type | tuple[type, ...]] = {
    Kind.ANSWER: (int, str, list, dict, type(None)),
    Kind.LANGUAGE: str,
    Kind.REPORT: str,
    Kind.START: dict,
    Kind.FINISH: dict,
    Kind.CONTROL: int,
    Kind.SECTION: int,
    Kind.TRIED: dict,
    Kind.OPENED: dict,
}
# Every escape of a JSON text, so that an escaped backslash before a «u» is not taken for one.
ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# An anchor may be as far ahead of the receiving server as two well-kept clocks differ.
CLOCK_SLACK_MS = 2000
ZERO = ord("0")
# All that a decoder says of bytes it can't read; bad UTF-8 in the middle is no DecodeError of its own.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Finish(msgspec.Struct, frozen=True):
    """Value of a finish event."""

    count: int
    hash: str


decode_finish = msgspec.json.Decoder(Finish).decode


class Tries(msgspec.Struct, frozen=True):
    """Value of a tried event: for so long, up to `ago_ms` before it, the device tried this step in vain."""

    step: Literal["page", "sign-in", "key", "resume"]
    for_ms: Annotated[int, msgspec.Meta(ge=0, le=24 * 3600 * 1000)]
    ago_ms: Annotated[int, msgspec.Meta(ge=0, le=24 * 3600 * 1000)] = 0


decode_tries = msgspec.json.Decoder(Tries).decode


class OpenedByCode(msgspec.Struct, frozen=True):
    """Value of an opened event: a room's code gave the keys, and the test began, at this time of the server's.

    `jump_ms` of that time rest on the phone's own clock: it slept, or its clock was set.
    """

    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEQ)]
    leg: Literal[0, 1]
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**52)]
    jump_ms: Annotated[int, msgspec.Meta(ge=0, le=2**52)] = 0


decode_opened = msgspec.json.Decoder(OpenedByCode).decode
VALUES_OF_SHAPE = {
    int(Kind.FINISH): decode_finish,
    int(Kind.TRIED): decode_tries,
    int(Kind.OPENED): decode_opened,
}


def read_save(body: bytes) -> tuple[protocol.Save, list[Refused]]:
    """The batch, and the events that could not even be read. Raises Problem when nothing of it can be stored."""
    try:
        return decode_save(body), []
    except msgspec.ValidationError as error:
        return _read_event_by_event(body, error)
    except RecursionError as error:
        raise Problem("too-deep") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = without_lone_surrogates(body)
        if mended != body:
            return read_save(mended)
        code = "body-truncated" if "truncated" in str(error) else "body-invalid"
        raise Problem(code, reason=str(error)) from error


def without_lone_surrogates(body: bytes) -> bytes:
    """Half of an emoji makes the whole body unreadable; as U+0000 it makes only its own event refused."""
    return ESCAPES.sub(lambda found: b"\\u0000" if found["lone"] else found[0], body)


def _read_event_by_event(body: bytes, whole: msgspec.ValidationError) -> tuple[protocol.Save, list[Refused]]:
    """One bad event must not hold up the others: read each alone, refuse those that have no meaning."""
    try:
        unread = decode_unread(body)
    except UNREADABLE as error:
        raise Problem("body-invalid", reason=str(error)) from error
    events: list[Event] = []
    refused: list[Refused] = []
    for raw in unread.events[: MAX_EVENTS + 1]:
        try:
            events.append(decode_event(raw))
        except UNREADABLE as error:
            seq = _seq_of(raw)
            if seq is None:
                raise Problem("body-invalid", reason=str(whole)) from error
            refused.append(Refused(seq, _code_of(str(error))))
    head = msgspec.structs.asdict(unread) | {"events": events}
    try:
        return msgspec.convert(head, protocol.Save), refused
    except msgspec.ValidationError as error:
        raise Problem("body-invalid", reason=str(error)) from error


class _OnlySeq(msgspec.Struct):
    seq: int


def _seq_of(raw: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(raw, type=_OnlySeq).seq
    except UNREADABLE:
        return None


def _code_of(reason: str) -> str:
    for field, code in (
        ("seq", "seq-invalid"),
        ("item", "item-invalid"),
        ("anchor", "anchor-invalid"),
        ("kind", "kind-unknown"),
    ):
        if f"$.{field}" in reason:
            return code
    return "value-invalid"


def stored_events(
    save: protocol.Save,
    refused: list[Refused],
    times: SignedTimes,
    items: Container[int],
    now_ms: int,
) -> list[StoredEvent]:
    """The events that will be stored; what is refused is added to `refused`. Raises Problem if seqs do not rise."""
    if len(save.events) > MAX_EVENTS:
        raise Problem("too-many-events", seen=len(save.events))
    anchors = [times.verify(text) for text in save.clock]
    newest_new = newest_again = 0
    stored: list[StoredEvent] = []
    for event in save.events:
        seq = event.seq
        if event.again:
            ascends, newest_again = seq > newest_again, seq
        else:
            ascends, newest_new = seq > newest_new, seq
        if not ascends:
            raise Problem("seq-not-ascending", seq=seq)
        kind = KINDS.get(event.kind)
        if kind is None:
            refused.append(Refused(seq, "kind-unknown"))
            continue
        value: str | None = None
        if event.value is not UNSET:
            code, value = _checked_value(kind, bytes(event.value))
            if code:
                refused.append(Refused(seq, code))
                continue
        elif kind in VALUE_OF:
            refused.append(Refused(seq, "value-invalid"))
            continue
        marks = 0
        if kind in WITH_ITEM:
            if event.item is None:
                refused.append(Refused(seq, "item-invalid"))
                continue
            if event.item not in items:
                marks = int(Mark.UNKNOWN_ITEM)
        anchor_ms = None
        if event.anchor is not None:
            if event.anchor >= len(anchors):
                refused.append(Refused(seq, "anchor-invalid"))
                continue
            anchor_ms = anchors[event.anchor]
        if anchor_ms is None:
            marks |= Mark.ANCHOR_UNVERIFIED
        elif anchor_ms + event.ms > now_ms + CLOCK_SLACK_MS:
            marks |= Mark.CLOCK_AHEAD
        stored.append(StoredEvent(seq, kind, event.item, value, anchor_ms, event.ms, marks, event.again))
    return stored


def tombstones(refused: list[Refused], stored: list[StoredEvent]) -> list[StoredEvent]:
    """What Postgres keeps of refused events: that these numbers are settled, so that they leave no gap (rule 5)."""
    taken = {event.seq for event in stored}
    numbers = {one.seq: None for one in refused if 1 <= one.seq <= MAX_SEQ and one.seq not in taken}
    # By the staging table: the same verdict comes with every repeat, marked or not.
    return [StoredEvent(seq, Kind.REFUSED, None, None, None, 0, 0, again=True) for seq in numbers]


def _checked_value(kind: int, raw: bytes) -> tuple[str | None, str | None]:
    """(why refused, None) or (None, the JSON text exactly as it was sent)."""
    # Nearly every value is an option's number: no decoder is asked what plain digits are.
    if kind == Kind.ANSWER and len(raw) < 10 and raw.isdigit() and (raw[0] != ZERO or len(raw) == 1):
        return None, raw.decode()
    if len(raw) > MAX_VALUE_BYTES:
        return "value-too-long", None
    # Postgres holds neither U+0000 nor a lone surrogate; the decoder refuses the latter by itself.
    if b"\\u0000" in raw:
        return "value-invalid", None
    try:
        value = decode_value(raw)
        text = raw.decode()
    except UNREADABLE:
        return "value-invalid", None
    expected = VALUE_OF.get(kind)
    if expected is None or not isinstance(value, expected):
        return "value-invalid", None
    shaped = VALUES_OF_SHAPE.get(kind)
    if shaped is not None:
        try:
            shaped(raw)
        except UNREADABLE:
            return "value-invalid", None
    return None, text
