"""A registration becomes a person of the registry, or nothing; callers own the transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from portal.core import audit, consents
from portal.core.accounts import forget_login, give_role, school_year_end
from portal.core.names import fold, search_key
from portal.core.scope import everywhere
from portal.features.registration import queries
from portal.features.registration.problems import NotFitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.consents import NewConsent
    from portal.core.db import Connection, Pool
    from portal.features.registration.structs import Registration

log = structlog.get_logger()
# How long a class teacher may take; SAFETY P3's fourteen days. Then how long a parent may.
TEACHER_WAITS, CONSENT_WAITS = timedelta(days=14), timedelta(days=30)
# Roles of a login that are a part in a project in the registry too; a guest has none.
IN_REGISTRY = {"birge-pupil": "pupil", "qabilet-test-taker": "test-taker", "myn-bala-pupil": "pupil"}


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who does it, for the trail: one of the staff, or nobody known (a signed link, the job)."""

    staff_id: int | None = None
    acting_as: str = "-"
    address: str = "-"


async def join(db: Connection, registration: Registration, given: Sequence[NewConsent], by: By) -> int:
    """He is a person of the registry with his consents and role; the registration goes. The person's number."""
    async with everywhere(db):
        person_id = await _person(db, registration)
        taken = await db.fetchval("select 1 from staff where person_id = $1", person_id)
        if taken:
            raise NotFitting
        await db.execute("update staff set person_id = $2 where id = $1", registration.staff_id, person_id)
        part = IN_REGISTRY.get(registration.role)
        if part:
            await db.execute(
                "insert into person_project (person_id, project, role) values ($1, $2, $3) on conflict do nothing",
                *(person_id, registration.project, part),
            )
        agreed = registration.child_agreed_at is not None
        for one in given:
            consent_id = await consents.record(db, person_id, one, by.staff_id, child_agreed=agreed)
            await _record(
                db,
                by,
                "person.consent.recorded",
                "person",
                person_id,
                {"consent": consent_id, **msgspec.to_builtins(one)},
            )
        ends = school_year_end(datetime.now(UTC))
        grant_id = await give_role(
            db, staff_id=registration.staff_id, role=registration.role, ends_at=ends, project=registration.project
        )
        await _record(
            db,
            by,
            "registration.person.joined",
            "person",
            person_id,
            {"login": registration.login, "grant": grant_id, "role": registration.role, "ends_at": ends.isoformat()},
        )
        # Who is signed in meanwhile finds himself in his project.
        await db.execute(
            "update staff_session set project = $2 where staff_id = $1", registration.staff_id, registration.project
        )
        await db.execute("update consent_ask set person_id = $2 where registration_id = $1", registration.id, person_id)
        await queries.drop(db, registration.id)
        await db.execute("select flag_twins($1)", [person_id])
    return person_id


async def _person(db: Connection, registration: Registration) -> int:
    """The row that the teacher said it is, if it still is that one; else a new one."""
    if registration.person_id is not None:
        fits = await db.fetchval(
            "select id from person where id = $1 and name_key = $2 and birth_date = $3 and status = 'active' for update",
            *(registration.person_id, registration.name_key, registration.birth_date),
        )
        if fits is None:
            raise NotFitting
        return fits
    names = registration.last_name, registration.first_name, registration.middle_name
    return await db.fetchval(
        """
        insert into person (last_name, first_name, middle_name, name_key, search_key, birth_date, language, region_code,
                            school_id, grade, class_letter)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        returning id
        """,
        *names,
        *(fold(f"{names[0]} {names[1]}"), search_key(*names), registration.birth_date, registration.language),
        *(registration.region_code, registration.school_id, registration.grade, registration.class_letter),
    )


async def erase(db: Connection, registration_id: int, staff_id: int, act: str, by: By, reason: str = "") -> None:
    """Nothing is left of it but a number in the trail; the login is free again, and so is the address."""
    await queries.drop(db, registration_id)
    await forget_login(db, staff_id)
    await _record(db, by, act, "registration", registration_id, {"login": staff_id}, reason)


async def erase_expired(pool: Pool) -> None:
    """Once a day: what waited too long."""
    async with pool.acquire() as db:
        await queries.forget_misses(db)
        async with db.transaction(), everywhere(db):
            found = await queries.expired(db)
            for registration_id, staff_id in found:
                await erase(db, registration_id, staff_id, "registration.request.expired", By())
    log.info("registration.expired.erased", registrations=len(found))


async def _record(
    db: Connection, by: By, act: str, kind: str, object_id: int, after: dict[str, object], reason: str = ""
) -> None:
    await audit.record_for(
        db,
        staff_id=by.staff_id,
        acting_as=by.acting_as,
        address=by.address,
        act=act,
        kind=kind,
        object_id=object_id,
        after=after,
        reason=reason,
    )
