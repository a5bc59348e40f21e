"""The own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.core.db import Connection


async def set_language(db: Connection, staff_id: int, language: str) -> None:
    """The language of the person's pages."""
    await db.execute("update staff set language = $2 where id = $1", staff_id, language)


async def own_words(db: Connection, staff_id: int) -> tuple[str, str]:
    """Login and name: what is guessed first in this person's password."""
    row = await db.fetchrow("select login, full_name from staff where id = $1", staff_id)
    return (row["login"], row["full_name"]) if row else ("", "")
