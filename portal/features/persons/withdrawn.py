"""What the purposes «registry» and «contact» keep here: the row itself, and how a person is reached (SAFETY P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.accounts import forget_login
from portal.core.consents import Line, feeds
from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.db import Connection

EMPTIED = N_("Emptied: name, birth date, contacts, place and projects. The number of the row stays.")
IIN_GONE = N_("Erased: the IIN.")
TWINS_GONE = N_("Erased: pairs of duplicates with this person: {count}")
LOGIN_SHUT = N_("Shut and emptied: the own login.")
CONTACTS_GONE = N_("Erased: phone and e-mail of the card.")
LETTERS_GONE = N_("Erased: letters and SMS in the outbox: {count}")
GIVEN_UP = N_("The consent to be written to was withdrawn.")


async def archive(db: Connection, person_id: int) -> list[Line]:
    """At once: in no list any more."""
    await db.execute(
        "update person set status = 'archived', changed_at = now() where id = $1 and status = 'active'", person_id
    )
    return []


async def empty(db: Connection, person_id: int) -> list[Line]:
    """A numbered shell is left, so that the audit trail names something; rows merged into this one are the same person."""
    ids = [
        row["id"]
        for row in await db.fetch(
            "select id from person where id = $1 or merged_into = $1 order by id for update", person_id
        )
    ]
    lines = [Line(EMPTIED)]
    await db.execute(
        """
        update person
        set external_id = null, last_name = '', first_name = '', middle_name = '', name_key = '#' || id,
            search_key = '', birth_date = '1900-01-01', sex = null, phone = '', email = '', photo_key = null,
            status = case when id = $2 then 'erased' else status end, district_id = null, school_id = null, grade = null,
            class_letter = '', changed_at = now()
        where id = any ($1::bigint[])
        """,
        *(ids, person_id),
    )
    await db.execute("delete from person_project where person_id = any ($1::bigint[])", ids)
    if await db.fetch("delete from person_iin where person_id = any ($1::bigint[]) returning person_id", ids):
        lines.append(Line(IIN_GONE))
    twins = await db.fetch(
        "delete from person_twin where first_id = any ($1::bigint[]) or second_id = any ($1::bigint[]) returning first_id",
        ids,
    )
    if twins:
        lines.append(Line(TWINS_GONE, {"count": len(twins)}))
    await db.execute("delete from consent_ask where person_id = any ($1::bigint[])", ids)
    # What stood in the columns before a merge is the person's data too; such a merge can be undone no more.
    await db.execute(
        "update person_merge set moved = '{}' where kept_id = any ($1::bigint[]) or gone_id = any ($1::bigint[])", ids
    )
    return lines + await _shut_login(db, ids)


async def _shut_login(db: Connection, ids: list[int]) -> list[Line]:
    """A login that its holder registered himself. One of the staff stays: it is the house's, and its person another row."""
    rows = await db.fetch(
        "select id from staff where person_id = any ($1::bigint[]) and registered_at is not null order by id", ids
    )
    for row in rows:
        await forget_login(db, row["id"])
    return [Line(LOGIN_SHUT)] if rows else []


async def give_up(db: Connection, person_id: int) -> list[Line]:
    """At once: what waits in the outbox is not sent. What comes later, the outbox itself asks about."""
    await db.execute(
        """
        update post set state = 'given_up', said = $2, filled = filled - 'seed'
        where person_id = $1 and state in ('queued', 'failed')
        """,
        *(person_id, GIVEN_UP),
    )
    return []


async def forget_contacts(db: Connection, person_id: int) -> list[Line]:
    """Phone and e-mail of the card, and what was written to them. The own login's are for signing in, and stay."""
    lines: list[Line] = []
    known = await db.fetchval(
        "update person set phone = '', email = '' where id = $1 and (phone <> '' or email <> '') returning id",
        person_id,
    )
    if known:
        lines.append(Line(CONTACTS_GONE))
    letters = await db.fetch("delete from post where person_id = $1 returning id", person_id)
    if letters:
        lines.append(Line(LETTERS_GONE, {"count": len(letters)}))
    return lines


feeds("registry", stop=archive, erase=empty)
feeds("contact", stop=give_up, erase=forget_contacts)
