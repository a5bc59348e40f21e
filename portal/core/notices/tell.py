"""Telling a person, once about each thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import post
from portal.core.notices.kinds import KINDS

if TYPE_CHECKING:
    from portal.core.db import Connection


async def tell(
    db: Connection, staff_id: int, kind: str, *, about: object, link: str, filled: dict[str, object]
) -> int | None:
    """A notice and, as the person wishes, a letter; None: he was told of this before."""
    notice_id = await db.fetchval(
        """
        insert into notice (staff_id, kind, about, filled, link)
        values ($1, $2, $3, $4, $5)
        on conflict (staff_id, kind, about) do nothing
        returning id
        """,
        *(staff_id, KINDS[kind].code, str(about), filled, link),
    )
    if notice_id is None:
        return None
    person = await db.fetchrow(
        """
        select s.email, s.language, case when s.registered_at is not null then s.person_id end as person_id
        from staff s
        left join notice_wish w on w.staff_id = s.id and w.kind = $2
        where s.id = $1 and s.email is not null and s.disabled_at is null and coalesce(w.mail, $3)
        """,
        *(staff_id, kind, KINDS[kind].mail),
    )
    if person is not None:
        await post.put(
            db,
            staff_id=staff_id,
            address=person["email"],
            kind=KINDS[kind].letter,
            language=person["language"],
            filled={**filled, "link": link},
            notice_id=notice_id,
            person_id=None if KINDS[kind].guards else person["person_id"],
        )
    return notice_id


async def done_with(db: Connection, kind: str, about: object, staff_id: int | None = None) -> None:
    """It is over for everybody told of it (or for one): read, and a letter that nobody has tried to send is not sent."""
    await db.execute(
        """
        delete from post
        where state = 'queued' and tries = 0 and notice_id in (
            select id from notice where kind = $1 and about = $2 and ($3::int is null or staff_id = $3))
        """,
        *(kind, str(about), staff_id),
    )
    await db.execute(
        """
        update notice set read_at = now()
        where kind = $1 and about = $2 and ($3::int is null or staff_id = $3) and read_at is null
        """,
        *(kind, str(about), staff_id),
    )


async def there(db: Connection, staff_id: int, kind: str, link: str) -> None:
    """He is on the page that such notices lead to, whichever way he came: they are read."""
    await db.execute(
        "update notice set read_at = now() where staff_id = $1 and kind = $2 and link = $3 and read_at is null",
        *(staff_id, KINDS[kind].code, link),
    )


async def erase_old(db: Connection) -> None:
    """Read ones after a quarter of a year, others after a year."""
    await db.execute(
        "delete from notice where read_at < now() - interval '90 days' or made_at < now() - interval '1 year'"
    )
