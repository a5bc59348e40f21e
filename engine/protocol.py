"""The wire: what a player sends and hears (JSON), and what lies in the streams (msgpack). See docs/protocol.md.

Stream records are `array_like` and live on disk between versions: new fields go last, with defaults.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_BODY_BYTES = 65536
MAX_EVENTS = 200
MAX_VALUE_BYTES = 4000
MAX_ANCHORS = 8
MAX_OPEN = 16
MAX_SEQ = 2**31 - 1
PLAYER_LANGUAGES = ("kk", "ru", "en")

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class Kind(IntEnum):
    """Kinds of events as stored; on the wire their lower-case names."""

    ANSWER = 1
    VIEW = 2
    MARK = 3
    UNMARK = 4
    BLUR = 5
    FOCUS = 6
    LANGUAGE = 7
    REPORT = 8
    START = 9
    FINISH = 10
    CONTROL = 11
    SECTION = 13
    # What stands in Postgres for an event that was refused: its number and nothing of its content. Never on the wire.
    REFUSED = 14
    TRIED = 15
    OPENED = 16


KIND_NAMES: dict[int, str] = {int(kind): kind.name.lower() for kind in Kind}
KINDS: dict[str, int] = {name: number for number, name in KIND_NAMES.items() if number != Kind.REFUSED}
WITH_ITEM = frozenset({Kind.ANSWER, Kind.VIEW, Kind.MARK, Kind.UNMARK, Kind.REPORT})


class Mark(IntFlag):
    """What the server noticed about an event that it stored all the same (rule 7)."""

    UNKNOWN_ITEM = 1
    ANCHOR_UNVERIFIED = 2
    CLOCK_AHEAD = 4
    SUPERSEDED = 8
    AFTER_FINISH = 16
    RESCUED = 32


# ---- what the player sends ----


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Body of `POST /v1/sign-in`."""

    code: Annotated[str, Meta(max_length=64)]
    day: Annotated[int, Meta(ge=1, le=31)]
    month: Annotated[int, Meta(ge=1, le=12)]
    device: Hex32
    # Postgres takes no U+0000: the record of the device would be a dead letter, and staff would never see the device.
    agent: Annotated[str, Meta(max_length=64, pattern="^[^\\u0000]*$")] = ""
    phone: Hex32 | None = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One thing that happened on the device."""

    seq: Annotated[int, Meta(ge=1, le=MAX_SEQ)]
    kind: str
    item: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    value: msgspec.Raw | UnsetType = UNSET
    anchor: Annotated[int, Meta(ge=0, le=MAX_ANCHORS - 1)] | None = None
    ms: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    again: bool = False


class Save(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Body of `POST /v1/save` and `/v1/finish`."""

    attempt: int
    events: list[Event]
    clock: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MAX_ANCHORS)] = []
    open: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MAX_OPEN)] = []
    controls: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    generation: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class SaveUnread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same with its events unread: the slow way of a batch in which one event is not of the right shape."""

    attempt: int
    events: list[msgspec.Raw]
    clock: list[str] = []
    open: list[str] = []
    controls: int = 0
    generation: int = 0


class DeviceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /v1/resume` and `/v1/have`."""

    device: Hex32


# ---- what the player hears ----


class ControlItem(msgspec.Struct, frozen=True):
    """A control as the player hears it."""

    version: int
    kind: str
    body: msgspec.Raw


class Controls(msgspec.Struct, frozen=True):
    """Controls newer than what the player said it has."""

    version: int
    items: list[ControlItem]


class Refused(msgspec.Struct, frozen=True):
    """An event that was not stored, and why."""

    seq: int
    code: str


class Final(msgspec.Struct, frozen=True):
    """The receipt for the child."""

    code: str
    at_ms: int
    count: int


class SaveReply(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`200` of save and finish."""

    now_ms: int
    now: str
    generation: int
    next_save_s: int
    room: int
    receipt: str | None = None
    open: list[Literal["durable", "wait", "again"]] | None = None
    refused: list[Refused] | None = None
    controls: Controls | None = None
    token: str | None = None
    started_ms: int | None = None
    deadline_ms: int | None = None
    superseded: bool = False
    missing: list[tuple[int, int]] | None = None
    final: Final | None = None


class Help(msgspec.Struct, frozen=True):
    """Whom to call."""

    name: str
    phone: str


class SittingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as the player hears it at sign-in."""

    id: int
    project: str
    title: dict[str, str]
    languages: list[str]
    waiting_opens_ms: int
    starts_ms: int
    last_entry_ms: int
    duration_s: int
    ends_ms: int | None
    extra_s: int
    grace_s: int
    spread_s: int
    help: Help


class ExamRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pupil sits who does not sit at home, and what his room's code opens when no key comes.

    `number` and `blob` are those of the form that he sits, `reserve` the blob of the form on which a stopped sitting goes
    on; "": none.
    """

    number: int
    name: str
    blob: str
    reserve: str


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures may be taken of this pupil, and where they go: the sitting is proctored and a camera consent holds."""

    url: str
    token: str
    every_s: int
    most_bytes: int
    identity: bool
    screen: bool
    keep_days: int


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """`200` of sign-in."""

    token: str
    attempt: int
    first_name: str
    language: str
    superseded: bool
    resume: bool
    sitting: SittingFacts
    manifest: str
    # The reserve form's, to be fetched after the first: who is stopped goes on with it (SAFETY D1). "": there is none.
    reserve: str
    started_ms: int | None
    deadline_ms: int | None
    now_ms: int
    now: str
    generation: int
    next_save_s: int
    room: int
    controls: Controls
    rescue_key: str
    # Of who sits in a room that has a code, and of nobody else. The seed tells nothing without the form.
    exam_room: ExamRoom | UnsetType = UNSET
    seed: str | UnsetType = UNSET
    # None: no camera is asked for, and none is needed (SAFETY R1).
    watch: Watch | None = None


class KeyReply(msgspec.Struct, frozen=True, kw_only=True):
    """`200` of key."""

    keys: dict[str, str]
    seed: str
    token: str
    started_ms: int
    deadline_ms: int
    now_ms: int
    now: str
    watch: Watch | None = None


class ResumedAnswer(msgspec.Struct, frozen=True):
    """The answer that stands for an item."""

    value: msgspec.Raw
    seq: int


class ResumedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that has written."""

    epoch: int
    events: int
    newest_ms: int | None
    this: bool


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """`200` of resume."""

    complete: bool
    answers: dict[str, ResumedAnswer]
    marked: list[int]
    place: int | None
    language: str | None
    devices: list[ResumedDevice]
    started_ms: int | None
    deadline_ms: int | None
    token: str
    now_ms: int
    now: str
    final: Final | None


class Have(msgspec.Struct, frozen=True):
    """`200` of have: closed ranges of seqs."""

    generation: int
    have: list[tuple[int, int]]


# ---- what lies in the streams ----


class StoredEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event on its way to `response_event`."""

    seq: int
    kind: int
    item: int | None
    value: str | None
    anchor_ms: int | None
    since_ms: int
    marks: int
    again: bool


class SaveRecord(msgspec.Struct, frozen=True, array_like=True, tag=0, gc=False):
    """A save, acknowledged once its entry is on disk."""

    sitting: int
    attempt: int
    device: bytes
    received_ms: int
    started_ms: int
    events: list[StoredEvent]
    leg: int = 0


class SignInRecord(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """A device signed in: it becomes the newest of its attempt."""

    sitting: int
    attempt: int
    device: bytes
    at_ms: int
    agent: str
    # The device of this attempt whose token was shown, and the phone that both live on; empty when not told.
    continues: bytes = b""
    phone: bytes = b""


class StartRecord(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """The key was released."""

    sitting: int
    attempt: int
    device: bytes
    started_ms: int
    leg: int = 0


class MissRecord(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """The second question was missed for the nth time."""

    attempt: int
    misses: int
    at_ms: int


class HoldRecord(msgspec.Struct, frozen=True, array_like=True, tag=4, gc=False):
    """A new device was one too many and was held back."""

    sitting: int
    attempt: int
    device: bytes
    at_ms: int
    agent: str


# Which bound of one pupil was crossed (SAFETY M2); `poison`: events of his that Postgres refused as data.
OverLimit = Literal["events", "bytes", "reports", "re-entries", "saves", "poison"]
# Those that no minute opens again.
FULL: frozenset[OverLimit] = frozenset({"events", "bytes", "poison"})


class LimitRecord(msgspec.Struct, frozen=True, array_like=True, tag=5, gc=False):
    """A pupil went beyond a limit, so many times since it was last said."""

    sitting: int
    attempt: int
    device: bytes
    at_ms: int
    limit: OverLimit
    times: int


Record = SaveRecord | SignInRecord | StartRecord | MissRecord | HoldRecord | LimitRecord


# ---- what lies in the control stream: from the flusher to every engine worker ----


class Position(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """A stream is in Postgres up to this entry (after COMMIT, rule 2)."""

    stream: int
    id_ms: int
    id_seq: int


class NewestDevice(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """The device that writes an attempt, and how many there have been."""

    attempt: int
    device: bytes
    epoch: int
    at_ms: int


class ControlSet(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A control of a sitting."""

    sitting: int
    scope: str
    scope_id: str
    version: int
    kind: str
    body: bytes


class Sealed(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """An attempt's final receipt."""

    attempt: int
    code: str
    at_ms: int
    count: int


class MissingEvents(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Told of a finish, Postgres lacks these seqs of the device."""

    attempt: int
    device: bytes
    ranges: list[tuple[int, int]]


class Passed(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Everything acknowledged before this time (Valkey's clock, ms) is in Postgres."""

    valkey_ms: int
    generation: int
    # Attempts that wait for their final receipt: who has handed in asks again accordingly late.
    unsealed: int = 0


class Locked(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A code is locked until staff free it."""

    attempt: int


class Started(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """An attempt's key was released first at this time; of a leg, as in `engine.tokens.Claims`."""

    attempt: int
    started_ms: int
    leg: int = 0


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """A stream that is read no more: what was acknowledged behind this entry is to be sent again."""

    stream: int
    id_ms: int
    id_seq: int


class Full(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """An attempt has used up a limit for good: no more events are stored for it."""

    attempt: int
    limit: OverLimit


News = Position | NewestDevice | ControlSet | Sealed | MissingEvents | Passed | Locked | Started | Closed | Full

CONTROL_STREAM = "control"


MISS_MINUTES_KEPT = 120


def miss_key(minute: int) -> str:
    """Hash of the failed sign-ins of a Unix minute: `problem code:sitting` → how many."""
    return f"misses:{minute}"


def stream_key(number: int) -> str:
    """Valkey's key of a stream; the hash tag spreads streams over the shards of a cluster."""
    return f"s:{{{number}}}"
