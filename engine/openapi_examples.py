"""Examples of the OpenAPI document: one sitting's morning, built from the wire's own structs."""

from __future__ import annotations

import msgspec

from engine.protocol import (
    ControlItem,
    Controls,
    DeviceBody,
    Event,
    ExamRoom,
    Final,
    Have,
    Help,
    KeyReply,
    Refused,
    Resumed,
    ResumedAnswer,
    ResumedDevice,
    Save,
    SaveReply,
    SignedIn,
    SignIn,
    SittingFacts,
    Watch,
)

DEVICE = "9f86d081884c7d659a2feaa0c55ad015"
ATTEMPT = 4711
STARTS = 1764057600000
STARTED = STARTS + 12_034
DEADLINE = STARTED + 3_600_000
LATER = STARTED + 48_166
NOW = f"{LATER}.9vJm4wQx71_p"
TOKEN = "AQAAAAAAABJnAAAAAw" + "A" * 78
KEY = "mK0cV5b1T6nYxq2JrZ8uWd4LhS7gPfEaQoNiBvCyXtU"
HELP = Help("Гүлнар Сәрсенқызы", "+7 700 000 00 11")
TITLE = {"kk": "Мың бала: іріктеу", "ru": "Мың бала: отбор", "en": "Myń Bala: selection"}


def example(struct: msgspec.Struct) -> object:
    """A struct as the JSON that goes over the wire."""
    return msgspec.json.decode(msgspec.json.encode(struct))


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


SIGN_IN = SignIn(code="K7QM 2XW9 P14G", day=14, month=3, device=DEVICE, agent="android/chrome 119")

WATCH = Watch(
    url="https://pictures.example",
    token="AQ" + "A" * 52,
    every_s=30,
    most_bytes=12_288,
    identity=True,
    screen=False,
    keep_days=90,
)

SIGNED_IN = SignedIn(
    token=TOKEN,
    attempt=ATTEMPT,
    first_name="Айгүл",
    language="kk",
    superseded=False,
    resume=False,
    sitting=SittingFacts(
        id=3,
        project="myn-bala",
        title=TITLE,
        languages=["kk", "ru", "en"],
        waiting_opens_ms=STARTS - 3_600_000,
        starts_ms=STARTS,
        last_entry_ms=STARTS + 900_000,
        duration_s=3600,
        ends_ms=None,
        extra_s=0,
        grace_s=120,
        spread_s=60,
        help=HELP,
    ),
    manifest="5f0c" * 16,
    reserve="c60f" * 16,
    started_ms=None,
    deadline_ms=None,
    now_ms=STARTS - 600_000,
    now=f"{STARTS - 600_000}.9vJm4wQx71_p",
    generation=1,
    next_save_s=30,
    room=20,
    controls=Controls(0, []),
    rescue_key=KEY,
    exam_room=ExamRoom(number=17, name="3-кабинет", blob="e1" * 32, reserve="0b" * 32),
    seed="8a" * 16,
    watch=WATCH,
)

CLOCK = {"now_ms": LATER, "now": NOW}

KEYS = KeyReply(
    keys={"1/kk": KEY, "1/ru": KEY, "1/en": KEY, "1/*": KEY},
    seed="8a1f0c33b7d24e569f02c4d1e8a7b360",
    token=TOKEN,
    started_ms=STARTED,
    deadline_ms=DEADLINE,
    now_ms=STARTED,
    now=f"{STARTED}.9vJm4wQx71_p",
    watch=WATCH,
)

SAVE = Save(
    attempt=ATTEMPT,
    clock=[NOW],
    generation=1,
    controls=0,
    open=["7-1764057630001-0"],
    events=[
        Event(seq=12, kind="answer", item=20817, value=_raw("911"), anchor=0, ms=5321),
        Event(seq=13, kind="view", item=4021, anchor=0, ms=6120),
        Event(seq=9, kind="answer", item=77, value=_raw('{"g1":5}'), anchor=0, ms=900, again=True),
    ],
)

SAVED = SaveReply(
    now_ms=LATER, now=NOW, generation=1, next_save_s=30, room=20, receipt="7-1764057660200-0", open=["durable"]
)

# Everything that a reply may hold, at once; such a reply never comes.
SAVED_WITH_ALL = SaveReply(
    now_ms=LATER,
    now=NOW,
    generation=2,
    next_save_s=5,
    room=20,
    receipt="7-1764057660200-0",
    open=["again"],
    refused=[Refused(13, "value-invalid")],
    controls=Controls(18, [ControlItem(18, "extra", _raw('{"extra_s":600}'))]),
    token=TOKEN,
    started_ms=STARTED,
    deadline_ms=DEADLINE + 600_000,
    superseded=True,
    missing=[(5, 7)],
    final=Final("K7QM-2XW9", LATER, 64),
)

FINISH = Save(
    attempt=ATTEMPT,
    clock=[NOW],
    generation=1,
    controls=0,
    events=[Event(seq=14, kind="finish", value=_raw('{"count":13,"hash":"' + "3c9a" * 16 + '"}'), anchor=0, ms=9000)],
)

FINISHED = SaveReply(now_ms=LATER, now=NOW, generation=1, next_save_s=3, room=20, receipt="7-1764057660300-0")

ASK_DEVICE = DeviceBody(DEVICE)

RESUMED = Resumed(
    complete=True,
    answers={"20817": ResumedAnswer(_raw("911"), 12)},
    marked=[4021],
    place=77,
    language="kk",
    devices=[ResumedDevice(epoch=1, events=63, newest_ms=LATER, this=False)],
    started_ms=STARTED,
    deadline_ms=DEADLINE,
    token=TOKEN,
    now_ms=LATER,
    now=NOW,
    final=None,
)

HAVE = Have(2, [(1, 40), (43, 60)])

MANIFEST: dict[str, object] = {
    "version": 1,
    "form": 12,
    "languages": ["kk", "ru", "en"],
    "sections": [1],
    "files": [
        {"id": "a1f3c2d4e5b60718", "name": "77c0" * 16, "size": 18231, "section": 1, "language": "kk", "kind": "text"},
        {"id": "09bed1c2a3f45566", "name": "d2a9" * 16, "size": 2210, "section": 1, "language": "*", "kind": "media"},
    ],
}

STATUS = {"now_ms": LATER, "steps": {"sign-in": True, "key": True, "resume": False, "save": True}}
READY: dict[str, object] = {"ready": True, "reasons": {}, "warnings": {}}
UNREADY: dict[str, object] = {
    "ready": False,
    "reasons": {"stream": "no stream is open: is Valkey there, and was Postgres at the last start?"},
    "warnings": {"valkey": "Connection refused"},
}
