"""All SQL of the portfolio. Each runs within `portal.core.cards.opened` or `seen`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.problems import NotThere
from portal.features.portfolio.structs import Document, NewDocument

if TYPE_CHECKING:
    from portal.core.db import Connection

WRITTEN = NewDocument.__struct_fields__
ROW = f"""
    select d.id, d.person_id, {", ".join(f"d.{name}" for name in WRITTEN)}, d.media, d.size_bytes, d.object_key,
           d.preview_key, d.state, d.note, a.full_name as added_by, d.added_by as added_by_id, d.added_at,
           c.full_name as confirmed_by, d.confirmed_at
    from person_document d
    join staff a on a.id = d.added_by
    left join staff c on c.id = d.confirmed_by
"""
SORTS = {
    "-added": "d.id desc",
    "added": "d.id",
    "-issued": "d.issued_on desc nulls last, d.id desc",
    "issued": "d.issued_on nulls last, d.id",
    "title": "kk(d.title), d.id",
    "-title": "kk(d.title) desc, d.id desc",
}


async def documents(db: Connection, person_id: int, *, kind: str = "", sort: str = "-added") -> list[Document]:
    """All of a person; there are some dozens at the most."""
    rows = await db.fetch(
        f"{ROW} where d.person_id = $1 and ($2 = '' or d.kind = $2) order by {SORTS[sort]}", person_id, kind
    )
    return [Document(**row) for row in rows]


async def find(db: Connection, person_id: int, document_id: int, *, lock: bool = False) -> Document:
    """One document of this person."""
    row = await db.fetchrow(
        f"{ROW} where d.person_id = $1 and d.id = $2 {'for no key update of d' if lock else ''}", person_id, document_id
    )
    if row is None:
        raise NotThere
    return Document(**row)


async def by_key(db: Connection, key: str) -> tuple[int, int] | None:
    """(person, document) of a stored file, within what this transaction sees."""
    row = await db.fetchrow("select person_id, id from person_document where object_key = $1", key)
    return (row["person_id"], row["id"]) if row else None


async def count(db: Connection, person_id: int) -> int:
    """How many a person has; those who add at once wait for each other."""
    await db.execute("select pg_advisory_xact_lock(hashtext('portfolio'), $1::int)", person_id % 2**31)
    return await db.fetchval("select count(*) from person_document where person_id = $1", person_id)


async def insert(
    db: Connection, person_id: int, document: NewDocument, media: str, size: int, key: str, staff_id: int
) -> int:
    """A new one; it waits for the worker."""
    values = [getattr(document, name) for name in WRITTEN]
    return await db.fetchval(
        f"""
        insert into person_document (person_id, media, size_bytes, object_key, added_by, {", ".join(WRITTEN)})
        values ($1, $2, $3, $4, $5, {", ".join(f"${number}" for number in range(6, 6 + len(WRITTEN)))})
        returning id
        """,
        *(person_id, media, size, key, staff_id, *values),
    )


async def confirm(db: Connection, document_id: int, staff_id: int) -> bool:
    """Somebody has seen the original; False if somebody had before."""
    done = await db.fetchval(
        """
        update person_document set confirmed_by = $2, confirmed_at = now()
        where id = $1 and confirmed_at is null
        returning id
        """,
        *(document_id, staff_id),
    )
    return done is not None


async def remove(db: Connection, document_id: int) -> None:
    """The row goes; its objects are let go by the caller."""
    await db.execute("delete from person_document where id = $1", document_id)
