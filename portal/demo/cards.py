"""The demo's teacher with a whole card: twelve own pupils, documents drawn here, half a year of KPI, reviews. Nobody exists."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from infra.objects import open_bucket
from portal.core.files.stored import BUCKET
from portal.core.names import fold, search_key
from portal.core.ui.pages import STATIC
from portal.demo.people import SEED

if TYPE_CHECKING:
    import asyncpg

    from infra.settings import ObjectStore

NAMES = ("Сейітова", "Гүлнар", "Маратқызы")
SPECIALIST = ("Қалиева", "Меруерт", "Асанқызы")
OWN_PUPILS = 12
WEEKS = 26
SKIN, HAIR = ("#e8b48c", "#d9a27a", "#f0c6a0"), ("#2b2019", "#3d2b1f", "#1d1a17")
CLOTHES = ("#0079a8", "#2e7d4f", "#7a3e8e", "#b4492f", "#5c6b78")
DOCUMENTS = (
    ("diploma", "Бакалавр дипломы: математика", "Абай атындағы ҚазҰПУ", date(2008, 6, 25)),
    ("course", "Тьюторлық қызмет негіздері, 72 сағат", "«Өрлеу» біліктілікті арттыру орталығы", date(2024, 3, 15)),
    ("thanks", "Алғыс хат: облыстық олимпиада", "Облыстық білім басқармасы", date(2025, 5, 20)),
)
WORDS = (
    (5, "Есепті қадам-қадаммен түсіндіреді, сұрақ қоюға қорықпаймын."),
    (5, "Сабақ қызық өтеді, үйге берілген тапсырмасы түсінікті."),
    (4, "Үй тапсырмасын тез тексереді. Кейде тым жылдам айтады."),
    (5, "Олимпиадаға дайындалуға көп көмектесті."),
    (4, "Қателерімді бірге талдаймыз."),
    (5, "Бәріне бірдей қарайды."),
)
WAITING = ((5, "Жаңа тақырыпты өмірден алынған мысалмен бастайды."), (3, "Сабақтан кейін қосымша уақыт болса екен."))


async def insert_cards(db: asyncpg.Connection[asyncpg.Record], store: ObjectStore, staff: dict[str, int]) -> None:
    """The cards behind `teacher` and `specialist`; the worker looks at the documents as at any others."""
    random = Random(SEED)
    pupils = await db.fetch(
        """
        select p.id, p.school_id
        from person p
        where 'birge-oqy' = any (p.projects) and p.grade = 5 and p.region_code = (
            select region_code
            from person
            where 'birge-oqy' = any (projects) and grade = 5
            group by region_code
            order by count(*) desc, region_code
            limit 1)
        order by p.school_id, p.sort_name, p.id
        limit $1
        """,
        OWN_PUPILS,
    )
    ids = [row["id"] for row in pupils]
    school = pupils[0]["school_id"]
    teacher = await _insert_holder(db, NAMES, "P-900001", school, staff["teacher"], "birge-oqy", "teacher")
    specialist = await _insert_holder(db, SPECIALIST, "P-900002", school, staff["specialist"], "qabilet", "specialist")
    await db.execute(
        """update person_project set attributes = '{"subject": "mathematics"}' where person_id = $1""", teacher
    )
    today = datetime.now(UTC).date()
    await db.execute(
        """
        insert into person_tie (holder_id, attached_id, kind, project, since, made_by)
        select $1, one, 'teacher', 'birge-oqy', $3, $4 from unnest($2::bigint[]) one
        """,
        *(teacher, ids, today - timedelta(days=90), staff["admin"]),
    )
    await db.execute(
        """
        insert into person_tie (holder_id, attached_id, kind, project, since, made_by)
        select $1, one, 'specialist', 'qabilet', $3, $4 from unnest($2::bigint[]) one
        """,
        *(specialist, ids[::2], today - timedelta(days=60), staff["admin"]),
    )
    await _insert_log(db, random, teacher, staff["admin"], today)
    await db.executemany(
        """
        insert into review (author_id, about_id, kind, project, period, stars, body, state, decided_at)
        values ($1, $2, 'teacher', 'birge-oqy', $3, $4, $5, $6, case when $6 = 'approved' then now() end)
        """,
        [
            (author, teacher, f"{today.year}-{1 if today.month <= 6 else 2}", stars, words, state)
            for author, (stars, words, state) in zip(
                ids,
                [*((*one, "approved") for one in WORDS), *((*one, "waits") for one in WAITING)],
                strict=False,
            )
        ],
    )
    async with open_bucket(store, BUCKET) as bucket:
        await bucket.ensure()
        for number, (kind, title, issuer, day) in enumerate(DOCUMENTS):
            body = draw_document(title, issuer, day)
            await bucket.put(f"document/demo-{number}", body)
            await db.execute(
                """
                insert into person_document (person_id, kind, title, issuer, issued_on, language, media, size_bytes, object_key,
                                             added_by)
                values ($1, $2, $3, $4, $5, 'kk', 'image/png', $6, $7, $8)
                """,
                *(teacher, kind, title, issuer, day, len(body), f"document/demo-{number}", staff["teacher"]),
            )
        for number, person in enumerate([teacher, *ids]):
            for side in (480, 96):
                await bucket.put(f"photo/demo-{number}-{side}", draw_face(Random(f"{SEED}-{number}"), side))
            await db.execute("update person set photo_key = $2 where id = $1", person, f"photo/demo-{number}")


async def _insert_holder(
    db: asyncpg.Connection[asyncpg.Record],
    names: tuple[str, str, str],
    number: str,
    school: int,
    login: int,
    project: str,
    role: str,
) -> int:
    last, first, middle = names
    holder = await db.fetchval(
        """
        insert into person (external_id, last_name, first_name, middle_name, name_key, search_key, birth_date, sex, language,
                            region_code, school_id, phone)
        select $1, $2, $3, $4, $5, $6, '1986-05-04', 'f', 'kk', d.region_code, s.id, '+7 700 000 00 12'
        from school s join district d on d.id = s.district_id
        where s.id = $7
        returning id
        """,
        *(number, last, first, middle, fold(f"{last} {first}"), search_key(last, first, middle), school),
    )
    await db.execute("insert into person_project (person_id, project, role) values ($1, $2, $3)", holder, project, role)
    await db.execute("update staff set person_id = $1 where id = $2", holder, login)
    return holder


async def _insert_log(
    db: asyncpg.Connection[asyncpg.Record], random: Random, teacher: int, staff: int, today: date
) -> None:
    rows: list[tuple[str, date, int, str]] = []
    for week in range(WEEKS):
        day = today - timedelta(days=7 * week + 1)
        rows.append(("lessons-held", day, random.randrange(4, 9), ""))
        if week % 4 == 0:
            rows.append(("homework-in-time", day, random.randrange(82, 100), "Айлық есеп"))
            rows.append(("attendance", day, random.randrange(86, 100), "Айлық есеп"))
    await db.executemany(
        """
        insert into kpi_entry (person_id, project, measure, day, value, source, note, made_by)
        values ($1, 'birge-oqy', $2, $3, $4, 'entered', $5, $6)
        """,
        [(teacher, measure, day, value, note, staff) for measure, day, value, note in rows],
    )


def draw_document(title: str, issuer: str, day: date) -> bytes:
    """A sheet with a frame, as diplomas look."""
    sheet = Image.new("RGB", (1240, 877), "#fbf8f0")
    pen = ImageDraw.Draw(sheet)
    for inset, colour, width in ((24, "#0b3a53", 6), (40, "#f5b301", 3)):
        pen.rectangle((inset, inset, 1240 - inset, 877 - inset), outline=colour, width=width)
    for y, text, size, colour in (
        (140, "ҮЛГІ", 40, "#b4492f"),
        (250, title, 44, "#0b3a53"),
        (380, " ".join(NAMES), 52, "#1b2530"),
        (520, issuer, 34, "#5c6b78"),
        (640, f"{day:%d.%m.%Y}", 34, "#5c6b78"),
    ):
        pen.text((620, y), text, font=_font(size), fill=colour, anchor="mm")
    pen.ellipse((930, 640, 1080, 790), outline="#0079a8", width=6)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def draw_face(random: Random, side: int) -> bytes:
    """A drawn face that is nobody's."""
    face = Image.new("RGB", (960, 960), random.choice(("#d9edf5", "#f7f5f0", "#eaf3e6")))
    pen = ImageDraw.Draw(face)
    skin, hair = random.choice(SKIN), random.choice(HAIR)
    pen.ellipse((180, 720, 780, 1300), fill=random.choice(CLOTHES))
    pen.rectangle((420, 600, 540, 760), fill=skin)
    pen.ellipse((290, 160, 670, 560), fill=hair)
    pen.ellipse((320, 230, 640, 660), fill=skin)
    pen.pieslice((310, 170, 650, 470), 180, 360, fill=hair)
    for x in (400, 530):
        pen.ellipse((x, 420, x + 30, 450), fill="#1b2530")
    pen.arc((420, 470, 540, 570), 20, 160, fill="#8a3b2a", width=8)
    out = io.BytesIO()
    face.resize((side, side)).save(out, "WEBP", quality=82)
    return out.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The portal's own, which has all Kazakh letters, once its pages are built."""
    path = STATIC / "dist" / "GolosText_600SemiBold.ttf"
    return ImageFont.truetype(str(path), size) if path.exists() else ImageFont.load_default(size)
