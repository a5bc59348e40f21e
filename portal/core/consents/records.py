"""Consents as records (SAFETY P6): whose, by whom, to what, by which text, on which way, until when; never changed, only withdrawn.

Each purpose is apart: to withdraw one leaves the others. What a withdrawal stops and erases is in `feeds`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.db import Connection

PURPOSES: dict[str, str] = {
    "registry": N_("Data in the registry"),
    "sitting": N_("Taking part in sittings"),
    "camera": N_("Camera snapshots"),
    "talents": N_("Being in the talents"),
    "contact": N_("Being written to and called"),
    "publication": N_("Publication of name and result"),
}
RELATIONS: dict[str, str] = {
    "mother": N_("mother"),
    "father": N_("father"),
    "guardian": N_("guardian"),
    "self": N_("the person, being of age"),
}
CHANNELS: dict[str, str] = {
    "paper": N_("signed on paper at school"),
    "sms": N_("SMS to the parent"),
    "egov": N_("eGov service"),
}
# What a legal representative can be: the relations but «self».
REPRESENTATIVES = [code for code in RELATIONS if code != "self"]
# From here on a person agrees for himself, where the setting says no other: the law's age of majority.
OF_AGE = 18


class NewConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What a form says of a consent."""

    purpose: str
    given_by: str
    relation: str
    text_version: str
    language: str
    channel: str
    third_parties: str
    given_on: date
    ends_on: date | None


class Consent(NewConsent, frozen=True, kw_only=True):
    """A row."""

    id: int
    holds: bool
    recorded_at: datetime
    recorded_by: str | None
    child_agreed: bool
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_note: str


WRITTEN = NewConsent.__struct_fields__


def of_age(born: date, day: date, age: int = OF_AGE) -> bool:
    """Whether a person agrees for himself on a day; who is born on 29 February is of age on 1 March."""
    return (day.year - born.year, day.month, day.day) >= (age, born.month, born.day)


async def age_of_consent(db: Connection) -> int:
    """The setting `consent_age`: data, for a law may change it."""
    value = await db.fetchval("select value from setting where name = 'consent_age'")
    return value if isinstance(value, int) and 0 < value < 100 else OF_AGE


async def holds(db: Connection, person_id: int, purpose: str) -> bool:
    """Whether there is a consent to this now. The ingest of snapshots asks it before it takes a byte (SAFETY R1)."""
    return await db.fetchval("select consent_holds($1, $2)", person_id, purpose)


async def of_person(db: Connection, person_id: int) -> list[Consent]:
    """All of a person, the newest first; within the territory of this transaction."""
    rows = await db.fetch(
        f"""
        select c.id, {", ".join(f"c.{name}" for name in WRITTEN)}, c.recorded_at, r.full_name as recorded_by,
               c.child_agreed, c.withdrawn_at, w.full_name as withdrawn_by, c.withdrawn_note,
               c.withdrawn_at is null
                   and (c.ends_on is null or c.ends_on >= (now() at time zone 'Asia/Almaty')::date) as holds
        from consent c
        left join staff r on r.id = c.recorded_by
        left join staff w on w.id = c.withdrawn_by
        where c.person_id = $1
        order by c.id desc
        """,
        person_id,
    )
    return [Consent(**row) for row in rows]


async def record(
    db: Connection, person_id: int, given: NewConsent, staff_id: int | None, *, child_agreed: bool = False
) -> int:
    """Write a consent down; without `staff_id` it came by a signed link or from the person himself."""
    values = [getattr(given, name) for name in WRITTEN]
    return await db.fetchval(
        f"""
        insert into consent (person_id, recorded_by, child_agreed, {", ".join(WRITTEN)})
        values ($1, $2, $3, {", ".join(f"${number}" for number in range(4, len(WRITTEN) + 4))})
        returning id
        """,
        *(person_id, staff_id, child_agreed, *values),
    )
