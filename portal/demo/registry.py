"""The demo's registry: some three thousand persons of three projects, a few of them written down twice. Nobody exists."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.iin import control_digit, parse
from portal.core.names import fold, search_key
from portal.demo.people import SEED, draw_people

if TYPE_CHECKING:
    import asyncpg

    from portal.core.iin import IinKeys
    from portal.demo.structs import People, Pupil

OTHERS = 2500
TEACHER_SHARE = 0.04
QABILET_SHARE = 0.35
BIRGE_OQY_SHARE = 0.25
TWICE = 14
TEACHERS_BORN, TEACHERS_WITHIN_DAYS = date(1968, 1, 1), 30 * 365
# A hurried hand writes Kazakh names without the Kazakh letters.
RUSSIAN = str.maketrans("әғқңөұүіһӘҒҚҢӨҰҮІҺ", "агкноууихАГКНОУУИХ")
FIELDS: tuple[dict[str, Any], ...] = (
    {
        "project": "myn-bala",
        "code": "commute_min",
        "kind": "number",
        "place": 1,
        "title": {"kk": "Мектепке дейінгі жол, минут", "ru": "Дорога до школы, минут", "en": "Way to school, minutes"},
    },
    {
        "project": "myn-bala",
        "code": "boarding",
        "kind": "flag",
        "place": 2,
        "title": {"kk": "Интернатта тұрады", "ru": "Живёт в интернате", "en": "Lives in a boarding house"},
    },
    {
        "project": "qabilet",
        "code": "interest",
        "kind": "choice",
        "place": 1,
        "title": {"kk": "Қызығушылығы", "ru": "Интерес", "en": "Interest"},
        "choices": [
            {"code": "science", "kk": "ғылым", "ru": "наука", "en": "science"},
            {"code": "craft", "kk": "қолөнер", "ru": "ремесло", "en": "craft"},
            {"code": "music", "kk": "музыка", "ru": "музыка", "en": "music"},
            {"code": "sport", "kk": "спорт", "ru": "спорт", "en": "sport"},
        ],
    },
    {
        "project": "birge-oqy",
        "code": "subject",
        "kind": "choice",
        "place": 1,
        "title": {"kk": "Пәні", "ru": "Предмет", "en": "Subject"},
        "choices": [
            {"code": "mathematics", "kk": "математика", "ru": "математика", "en": "mathematics"},
            {"code": "reading", "kk": "оқу сауаттылығы", "ru": "читательская грамотность", "en": "reading"},
        ],
    },
)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the demo with his projects: code → role and own values."""

    pupil: Pupil
    iin: str | None
    parts: dict[str, tuple[str, dict[str, Any]]]


def draw_registry(people: People) -> list[Known]:
    """The pupils of the demo's sittings, others of the same schools, teachers; the last ones are some of them again."""
    random = Random(SEED)
    pupils = [*people.pupils, *draw_people(SEED + 1, OTHERS).pupils]
    made = [_known(random, number, pupil) for number, pupil in enumerate(pupils)]
    kazakh = [one for one in made if one.pupil.last_name != one.pupil.last_name.translate(RUSSIAN) and one.iin]
    for number, one in enumerate(random.sample(kazakh, TWICE)):
        again = msgspec.structs.replace(
            one.pupil,
            last_name=one.pupil.last_name.translate(RUSSIAN),
            first_name=one.pupil.first_name.translate(RUSSIAN),
            middle_name="",
            school=random.choice(people.schools).code,
            external_id=f"QB-{number + 1:05d}",
        )
        # Of every third the number came along with both rows.
        iin = one.iin if number % 3 == 0 else None
        made.append(Known(pupil=again, iin=iin, parts={"qabilet": ("test-taker", {"interest": "science"})}))
    return made


def _known(random: Random, number: int, pupil: Pupil) -> Known:
    teaches = number >= 500 and random.random() < TEACHER_SHARE
    if teaches:
        born = TEACHERS_BORN + timedelta(days=random.randrange(TEACHERS_WITHIN_DAYS))
        pupil = msgspec.structs.replace(pupil, birth_date=born, grade=0, class_letter="")
        parts: dict[str, tuple[str, dict[str, Any]]] = {
            "birge-oqy": ("teacher", {"subject": random.choice(("mathematics", "reading"))})
        }
    else:
        own: dict[str, Any] = {"commute_min": random.randrange(5, 60, 5), "boarding": random.random() < 0.1}
        parts = {"myn-bala": ("pupil", own)}
        if random.random() < QABILET_SHARE:
            interest = random.choice(("science", "craft", "music", "sport"))
            parts["qabilet"] = ("test-taker", {"interest": interest})
        if random.random() < BIRGE_OQY_SHARE:
            parts["birge-oqy"] = ("pupil", {"subject": random.choice(("mathematics", "reading"))})
    pupil = msgspec.structs.replace(pupil, external_id=f"P-{number + 1:06d}")
    return Known(pupil=pupil, iin=_iin(random, pupil) if random.random() < 0.8 else None, parts=parts)


def _iin(random: Random, pupil: Pupil) -> str:
    """A number that holds for this birth date and sex. Real people have such numbers too: it means nobody here."""
    century = {("m", False): "3", ("f", False): "4", ("m", True): "5", ("f", True): "6"}
    seventh = century[pupil.gender, pupil.birth_date.year >= 2000]
    while True:
        eleven = f"{pupil.birth_date:%y%m%d}{seventh}{random.randrange(10_000):04d}"
        digit = control_digit(eleven)
        if digit is not None:
            return f"{eleven}{digit}"


async def insert_registry(
    db: asyncpg.Connection[asyncpg.Record], people: People, schools: dict[str, int], keys: IinKeys
) -> None:
    """Fields, persons, projects, numbers; twins are flagged."""
    await db.executemany(
        """
        insert into attribute_field (project, code, kind, place, title, choices)
        values ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb)
        on conflict do nothing
        """,
        [
            (
                *(field["project"], field["code"], field["kind"], field["place"]),
                *(msgspec.json.encode(field["title"]).decode(), msgspec.json.encode(field.get("choices", [])).decode()),
            )
            for field in FIELDS
        ],
    )
    known = draw_registry(people)
    rows = await db.fetch("select nextval('person_id_seq') as id from generate_series(1, $1)", len(known))
    ids = [row["id"] for row in rows]
    await db.executemany(
        """
        insert into person (id, external_id, last_name, first_name, middle_name, name_key, search_key, birth_date, sex,
                            language, region_code, school_id, grade, class_letter)
        overriding system value
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, d.region_code, s.id, $11, $12
        from school s join district d on d.id = s.district_id
        where s.id = $13
        """,
        [
            (
                *(person_id, one.pupil.external_id, one.pupil.last_name, one.pupil.first_name, one.pupil.middle_name),
                fold(f"{one.pupil.last_name} {one.pupil.first_name}"),
                search_key(one.pupil.last_name, one.pupil.first_name, one.pupil.middle_name),
                *(one.pupil.birth_date, one.pupil.gender, one.pupil.language),
                *(one.pupil.grade or None, one.pupil.class_letter, schools[one.pupil.school]),
            )
            for person_id, one in zip(ids, known, strict=True)
        ],
    )
    await db.executemany(
        "insert into person_project (person_id, project, role, attributes) values ($1, $2, $3, $4::text::jsonb)",
        [
            (person_id, project, role, msgspec.json.encode(own).decode())
            for person_id, one in zip(ids, known, strict=True)
            for project, (role, own) in one.parts.items()
        ],
    )
    numbers = []
    for person_id, one in zip(ids, known, strict=True):
        iin = parse(one.iin or "")
        if not isinstance(iin, str):
            numbers.append((person_id, *keys.seal(iin)))
    await db.executemany("insert into person_iin (person_id, sealed, blind) values ($1, $2, $3)", numbers)
    await db.execute("select flag_twins($1)", ids)
