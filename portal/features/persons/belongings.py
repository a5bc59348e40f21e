"""What hangs on a person and goes along when two rows become one: photo, documents, ties, KPI log, reviews, login.

It is written down, so that an undo brings back exactly what went over, and nothing that came later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.core.db import Connection

# Tables whose rows simply change their person.
OWNED = ("person_document", "kpi_entry", "participant")
# What the platform counted stays with each row: for one day both may have it, and it comes anew from the login.
COUNTED = "and t.source <> 'system'"
# A review of the same teacher in the same half-year that the kept row has too stays where it is; so does one that would
# be a person's own of himself.
MOVE_REVIEWS = """
    update review t
    set {side} = $1
    where t.{side} = $2 and t.{other} <> $1 and not exists (
        select
        from review k
        where k.{side} = $1 and k.{other} = t.{other} and k.project = t.project and k.period = t.period)
    returning t.id
"""
AUTHORS = {"author_id": "about_id", "about_id": "author_id"}
# A tie that the kept row has too, or that would join a person to himself, stays with the row that goes.
MOVE_TIES = """
    update person_tie t
    set {side} = $1
    where t.{side} = $2 and t.{other} <> $1 and not exists (
        select
        from person_tie k
        where k.{side} = $1 and k.{other} = t.{other} and k.kind = t.kind and k.project is not distinct from t.project
            and k.ended_at is null and t.ended_at is null)
    returning t.id
"""
SIDES = {"holder_id": "attached_id", "attached_id": "holder_id"}


async def move(db: Connection, kept_id: int, gone_id: int) -> dict[str, Any]:
    """Everything of the gone row goes over; what that was."""
    moved: dict[str, Any] = {}
    for table in OWNED:
        but = COUNTED if table == "kpi_entry" else ""
        rows = await db.fetch(
            f"update {table} t set person_id = $1 where t.person_id = $2 {but} returning t.id", kept_id, gone_id
        )
        moved[table] = [row["id"] for row in rows]
    for side, other in SIDES.items():
        rows = await db.fetch(MOVE_TIES.format(side=side, other=other), kept_id, gone_id)
        moved[side] = [row["id"] for row in rows]
    for side, other in AUTHORS.items():
        rows = await db.fetch(MOVE_REVIEWS.format(side=side, other=other), kept_id, gone_id)
        moved[side] = [row["id"] for row in rows]
    moved["photo"] = await db.fetchval(
        """
        update person k set photo_key = g.photo_key
        from person g
        where k.id = $1 and g.id = $2 and k.photo_key is null and g.photo_key is not null
        returning k.photo_key
        """,
        *(kept_id, gone_id),
    )
    if moved["photo"]:
        await db.execute("update person set photo_key = null where id = $1", gone_id)
    moved["login"] = await db.fetchval(
        """
        update staff s set person_id = $1
        where s.person_id = $2 and not exists (select from staff k where k.person_id = $1)
        returning s.id
        """,
        *(kept_id, gone_id),
    )
    return moved


async def move_back(db: Connection, kept_id: int, gone_id: int, moved: dict[str, Any]) -> None:
    """What went over and is still there returns; what was removed since is gone."""
    for table in OWNED:
        await db.execute(
            f"update {table} set person_id = $1 where person_id = $2 and id = any ($3::bigint[])",
            *(gone_id, kept_id, moved.get(table, [])),
        )
    for side in SIDES:
        await db.execute(
            f"update person_tie set {side} = $1 where {side} = $2 and id = any ($3::bigint[])",
            *(gone_id, kept_id, moved.get(side, [])),
        )
    for side in AUTHORS:
        await db.execute(
            f"update review set {side} = $1 where {side} = $2 and id = any ($3::bigint[])",
            *(gone_id, kept_id, moved.get(side, [])),
        )
    photo = moved.get("photo")
    if photo and await db.fetchval(
        "update person set photo_key = null where id = $1 and photo_key = $2 returning id", kept_id, photo
    ):
        await db.execute("update person set photo_key = $2 where id = $1", gone_id, photo)
    if moved.get("login"):
        await db.execute(
            "update staff set person_id = $1 where id = $2 and person_id = $3", gone_id, moved["login"], kept_id
        )
