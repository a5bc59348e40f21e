"""The demo's proctoring: the open sitting has a camera, and sixty children have sat before it. Nobody exists.

What proctors, reviewers and families said afterwards is here too: verdicts that agree and differ, a case with notes, an
appeal that waits and one that was right, a picture that nobody should see, a child whose pictures are erased.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import msgspec

from portal.core import audit
from portal.core.names import fold
from portal.demo import footage
from portal.demo.footage import Sent
from portal.demo.people import SEED
from portal.demo.pictures import LOOKS, draw_room
from portal.features.proctoring import casework, complaints, keeping, queries, reaching, seals
from proctoring.index import Event

if TYPE_CHECKING:
    import asyncpg

    from infra.settings import ProctoringSettings

    Db = asyncpg.Connection[asyncpg.Record]

WATCHED = 60
RHYTHM_MS = 30_000
AGENTS = {
    "phone": "Mozilla/5.0 (Linux; Android 11; SM-A125F) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36",
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
    "computer": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
}


class Story(msgspec.Struct, frozen=True):
    """What went on in a room: what is seen beside a child that sits there, and events as (kind, how often, seconds each)."""

    seen: tuple[str, ...]
    events: tuple[tuple[str, int, int], ...]


HELPED = Story(("two", "two", "turned"), (("several-faces", 5, 14), ("head-turned", 9, 4), ("tab-left", 2, 6)))
PHONE = Story(("down", "down", "turned"), (("tab-left", 6, 21), ("paste", 3, 0), ("no-face", 2, 6)))
AWAY = Story(("nobody",), (("no-face", 5, 22), ("camera-off", 2, 9)))
PAGE = Story(("turned",), (("tab-left", 4, 9),))
DARK = Story(("dark", "dark", "dark"), (("light-poor", 6, 0), ("no-face", 2, 5)))
LINE = Story((), (("line-lost", 3, 40),))
CALM = Story((), ())
RETURN = {"tab-left": "tab-back", "camera-off": "camera-on", "line-lost": "line-back"}
# The first are those whose cases are told below; the rest are sixty ordinary rooms.
STORIES = [HELPED, PHONE, HELPED, PAGE, DARK, HELPED, AWAY, AWAY, PHONE, *[PAGE] * 5, *[DARK] * 4, *[LINE] * 8, AWAY]

# Child of the stories above, whose verdict, what and why.
VERDICTS = (
    (0, "proctor", "breach", "helped", "Екінші, төртінші суретте ересек адам қасында отыр, экранды көрсетіп тұр."),
    (0, "admin", "breach", "helped", "Екі суретте де сол адам. Бала соған қарап отыр."),
    (1, "proctor", "breach", "second-device", "Үш суретте төмен, тізесіне қарайды, арасында мәтін қойылған."),
    (1, "admin2", "breach", "second-device", "Телефон жарығы бетінде, мәтін үш рет қойылған."),
    (2, "proctor", "breach", "helped", "Артында біреу тұр."),
    (2, "admin", "fine", "known-need", "Інісі бөлмеге кірген, бала оған қараған жоқ."),
    (3, "proctor", "breach", "shared", "Төрт рет беттен шықты, бір жаққа қарайды."),
    (4, "proctor", "unclear", "too-dark", ""),
    (5, "proctor", "breach", "helped", "Қасында ересек адам."),
    (5, "admin", "breach", "helped", "Екі суретте қасында адам бар."),
    (7, "proctor", "unclear", "ask-school", "Бала екі рет орнынан тұрып кетті."),
    *((place, "proctor", "fine", reason, "") for place, reason in ((9, "seen"), (18, "poor-line"), (19, "poor-line"))),
)
NOTES = (
    ("admin", "Мектепке хабарластым: үйінде ағасы болған, тест туралы білмеген дейді."),
    ("admin2", "Суреттерге қарағанда көмек бірнеше минут созылған. Комиссияға осы екі сурет жетеді."),
)


async def insert_watch(
    db: Db, settings: ProctoringSettings, opened: int, staff: dict[str, int], pupil: str
) -> list[int]:
    """Who is watched. Needs the registry, the sittings and the object store. `pupil`: who has a login of its own."""
    await db.execute("insert into sitting_watch (sitting_id, keep_days) values ($1, 30)", opened)
    await db.execute("update sitting_review set sample_percent = 10 where sitting_id = $1", opened)
    await db.execute("select make_watch_partition($1)", opened)
    await _link(db)
    rows = await db.fetch(
        "select id, external_id from participant where sitting_id = $1 order by id desc limit $2", opened, WATCHED
    )
    # The one with a login reads of its own case: it has the second story.
    children = [row["id"] for row in sorted(rows, key=lambda row: (row["external_id"] == pupil, row["id"]))]
    children.insert(1, children.pop())
    await _agree(db, opened, children)
    now_ms = time.time_ns() // 1_000_000
    await _sign_in(db, opened, children)
    sent = [_phone(child, place, now_ms) for place, child in enumerate(children)]
    await footage.put_down(db, settings, opened, sent)
    await _note_light(db, opened, children)
    await _judge(db, opened, children, staff, sent)
    await keeping.mark(db, opened, children[-1], "Әсел Мұратқызы Жақсылықова, Нұрлан Болатұлы Сейітов")
    return children


def _phone(child: int, place: int, now_ms: int) -> Sent:
    """A photo of the face at the beginning, then a picture every half a minute, the last some seconds ago."""
    random = Random(f"{SEED}-watch-{place}")
    story = STORIES[place] if place < len(STORIES) else CALM
    look, count = place % LOOKS, 6 + place % 5
    kinds = ["alone"] * count
    for number, kind in enumerate(story.seen):
        kinds[(1 + 2 * number) % count] = kind
    first_ms = now_ms - (count + 1) * RHYTHM_MS - random.randrange(2_000, 20_000)
    pictures = [("identity", 1, first_ms - 40_000, draw_room(look, "alone"))]
    pictures += [
        ("snapshot", seq, first_ms + seq * RHYTHM_MS, draw_room(look, kind)) for seq, kind in enumerate(kinds, 2)
    ]
    happened = [
        (first_ms + random.randrange(20_000, count * RHYTHM_MS), kind, seconds)
        for kind, times, seconds in story.events
        for _ in range(times)
    ]
    # Who left comes back when it was over.
    happened += [(at + seconds * 1000, RETURN[kind], 0) for at, kind, seconds in happened if kind in RETURN]
    events = [
        Event(number, kind, at, {"ms": seconds * 1000} if seconds else {})
        for number, (at, kind, seconds) in enumerate(sorted(happened), 1)
    ]
    return Sent(attempt=child, pictures=pictures, events=events)


async def _link(db: Db) -> None:
    rows = await db.fetch("select id, last_name, first_name from participant order by id")
    keys = [fold(f"{row['last_name']} {row['first_name']}") for row in rows]
    await db.fetchval("select link_participants($1, $2)", [row["id"] for row in rows], keys)


async def _agree(db: Db, opened: int, watched: list[int]) -> None:
    """The mothers of the watched, of the first slip that a person tries, and of two thirds of the others."""
    await db.execute(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on, recorded_by)
        select p.id, 'camera', concat_ws(' ', p.last_name, 'Сәуле'), 'mother', '2026-1', p.language, 'paper', '2026-11-05', a.id
        from person p, staff a
        where a.login = 'admin'
            and p.id in (
                select person_id from participant where sitting_id = $1 and (id = any($2::bigint[]) or person_id % 3 <> 0
                    or id = (select min(id) from participant where sitting_id = $1)))
        order by p.id
        """,
        *(opened, watched),
    )


async def _sign_in(db: Db, opened: int, children: list[int]) -> None:
    """They are writing, each on a device."""
    devices = [*["phone"] * 26, *["computer"] * 24, *["iphone"] * 10]
    await db.execute(
        """
        insert into attempt (id, sitting_id, signed_in_at, started_at)
        select id, $1, now() - interval '14 minutes', now() - interval '12 minutes' from unnest($2::bigint[]) as n (id)
        """,
        *(opened, children),
    )
    await db.execute(
        """
        insert into attempt_device (attempt_id, device, epoch, first_seen_ms, agent)
        select id, gen_random_uuid(), 1, (extract(epoch from now() - interval '14 minutes') * 1000)::bigint, agent
        from unnest($1::bigint[], $2::text[]) as n (id, agent)
        """,
        *(children, [AGENTS[devices[place % len(devices)]] for place in range(len(children))]),
    )


async def _note_light(db: Db, opened: int, children: list[int]) -> None:
    """As the server's check would have measured it."""
    dark = [child for place, child in enumerate(children) if place < len(STORIES) and STORIES[place] is DARK]
    await db.execute(
        """
        update picture
        set checks = jsonb_build_object('server', jsonb_build_object(
            'light', case when attempt_id = any($2::bigint[]) then 31 when attempt_id % 2 = 0 then 78 else 124 end))
        where sitting_id = $1 and kind = 'snapshot' and seq % 3 = 0
        """,
        *(opened, dark),
    )


async def _judge(db: Db, opened: int, children: list[int], staff: dict[str, int], sent: list[Sent]) -> None:
    """Verdicts, notes, evidence, appeals, a seal; those who looked are on record as always."""
    for place, who, kind, reason, words in VERDICTS:
        for _kind, seq, _at, _body in sent[place].pictures[-3:]:
            await reaching.look(db, staff[who], opened, children[place], seq)
        await queries.say(db, opened, children[place], staff[who], kind, reason, words)
        # That it was said, never what: who reads the trail may be asked for a second opinion (decision 0072).
        await _on_record(db, staff[who], "watch.verdict.said", children[place])
    for who, words in NOTES:
        await casework.note(db, children[0], staff[who], words)
        await _on_record(db, staff[who], "watch.case.noted", children[0])
    for _kind, seq, at, _body in sent[0].pictures[2:5:2]:
        await casework.choose(db, opened, children[0], seq, at, staff["admin"])
    said = "Сол кезде үйде ағасы болған, бірақ көмектескен жоқ, тек шай әкелді. Суреттерді қайта қарауды сұраймыз."
    for place, told_by in ((0, "Анасы, Гүлмира Серікқызы"), (5, "Әкесі, Марат Оспанов")):
        appeal = await complaints.make(
            db,
            children[place],
            opened,
            channel="phone",
            told_by=told_by,
            words=said,
            language="kk",
            staff_id=staff["admin"],
        )
        if place and appeal is not None:
            found = await complaints.find(db, appeal)
            assert found is not None
            reason = "Суреттегі адам — әжесі: шай әкеліп, бірден шығып кеткен. Бала экранға қарап отырған."
            await complaints.decide(db, found, staff["quality"], "upheld", reason)
    _kind, seq, at, _body = sent[6].pictures[-1]
    seal = await seals.seal(db, opened, children[6], seq, at, staff["proctor"])
    await _on_record(db, staff["proctor"], "watch.picture.sealed", children[6])
    await db.execute(
        "insert into notice (staff_id, kind, about, filled, link) values ($1, 'watch.sealed', $2, '{}', $3)",
        *(staff["safety"], str(seal), f"/safety/{seal}"),
    )


async def _on_record(db: Db, staff_id: int, act: str, child: int) -> None:
    await audit.record_for(
        db, staff_id=staff_id, acting_as="", address="", act=act, kind="participant", object_id=child
    )
