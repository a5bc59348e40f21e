"""The demo's registrations: a class with its code, two children that wait for their teacher, a pupil whose mother signed."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core import consents
from portal.core.accounts import Place, create_staff, give_role, school_year_end
from portal.core.consents import NewConsent
from portal.features.registration import codes, joining, queries
from portal.features.registration.structs import Applicant

if TYPE_CHECKING:
    import asyncpg

    from portal.core.db import Connection
    from portal.demo.structs import People, Pupil

TEACHER = "Сейітова Гүлнар Маратқызы"
AGREED = ("registry", "sitting", "contact", "talents")
VERSION = "2026-1"


class Class(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo's page shows of it: the code, and logins (login, password, name, role); which pupil has one of its own."""

    code: str
    logins: list[tuple[str, str, str, str]]
    pupil: Pupil


async def insert_registrations(
    db: asyncpg.Connection[asyncpg.Record], people: People, schools: dict[str, int], link_key: bytes
) -> Class:
    """In the largest class of the registry's pupils."""
    counted = Counter((pupil.school, pupil.grade, pupil.class_letter) for pupil in people.pupils)
    school, grade, letter = max(sorted(counted), key=lambda one: counted[one])
    mates = [one for one in people.pupils if (one.school, one.grade, one.class_letter) == (school, grade, letter)]
    place = Place(school=schools[school], class_name=f"{grade}{letter}".upper())
    now = datetime.now(UTC)
    ends = school_year_end(now)
    logins = [await _login(db, "teacher", TEACHER, "birge-teacher")]
    teacher = await _number(db, "teacher")
    for where in (place, Place(own_pupils=True)):
        await give_role(db, staff_id=teacher, role="birge-teacher", ends_at=ends, place=where, project="birge-oqy")
    seed = secrets.token_urlsafe(24)
    code = codes.code_of(link_key, seed)
    code_id = await queries.insert_code(
        db,
        school_id=schools[school],
        grade=grade,
        class_letter=letter,
        project="birge-oqy",
        role="birge-pupil",
        seed=seed,
        code_hash=codes.hashed(code),
        most_uses=30,
        made_by=teacher,
        lives=codes.LIVES,
    )
    region = await db.fetchval(
        "select d.region_code from school s join district d on d.id = s.district_id where s.id = $1", schools[school]
    )
    # One is in the registry already, spelled in a hurry; of the other nobody knows yet.
    known = msgspec.structs.replace(mates[-1], last_name=mates[-1].last_name.upper())
    fresh = msgspec.structs.replace(mates[-1], last_name="Тілеуберді", first_name="Нұрай", middle_name="")
    for login, child in (("waits1", known), ("waits2", fresh)):
        await _wait(db, login, child, region, schools[school], code_id)
    logins.append(await _registered(db, mates[0]))
    return Class(code=codes.shown(code), logins=logins, pupil=mates[0])


async def _login(
    db: Connection, login: str, name: str, role: str, *, language: str = "kk", registered_at: datetime | None = None
) -> tuple[str, str, str, str]:
    password = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    await create_staff(
        db,
        login=login,
        full_name=name,
        password=password,
        language=language,
        demo=True,
        registered_at=registered_at,
    )
    return login, password, name, role


async def _number(db: Connection, login: str) -> int:
    return await db.fetchval("select id from staff where login = $1", login)


async def _wait(db: Connection, login: str, child: Pupil, region: str, school_id: int, code_id: int) -> None:
    """A request that waits for the teacher."""
    name = f"{child.last_name} {child.first_name}"
    await _login(db, login, name, "birge-pupil", language=child.language, registered_at=datetime.now(UTC))
    applicant = Applicant(
        last_name=child.last_name,
        first_name=child.first_name,
        middle_name=child.middle_name,
        birth_date=child.birth_date,
        language=child.language,
        region_code=region,
        school_id=school_id,
        grade=child.grade,
        class_letter=child.class_letter,
        project="birge-oqy",
        role="birge-pupil",
    )
    await queries.use_code(db, code_id)
    await queries.insert(
        db,
        await _number(db, login),
        applicant,
        way="code",
        state="teacher",
        class_code_id=code_id,
        agreed=True,
        waits=joining.TEACHER_WAITS,
    )


async def _registered(db: Connection, child: Pupil) -> tuple[str, str, str, str]:
    """A pupil of the registry with a login of its own, by consent of its mother."""
    name = f"{child.last_name} {child.first_name}"
    made = await _login(db, "pupil", name, "birge-pupil", language=child.language, registered_at=datetime.now(UTC))
    staff_id = await _number(db, "pupil")
    person = await db.fetchrow(
        "select id from person where last_name = $1 and first_name = $2 and birth_date = $3 order by id limit 1",
        *(child.last_name, child.first_name, child.birth_date),
    )
    assert person is not None
    await db.execute("update staff set person_id = $2 where id = $1", staff_id, person["id"])
    ends = school_year_end(datetime.now(UTC))
    await give_role(db, staff_id=staff_id, role="birge-pupil", ends_at=ends, project="birge-oqy")
    given_on: date = (datetime.now(UTC) - timedelta(days=3)).date()
    for purpose in AGREED:
        given = NewConsent(
            purpose=purpose,
            given_by="Сәуле Ерланқызы",
            relation="mother",
            text_version=VERSION,
            language="kk",
            channel="sms",
            third_parties="",
            given_on=given_on,
            ends_on=None,
        )
        await consents.record(db, person["id"], given, None, child_agreed=True)
    return made
