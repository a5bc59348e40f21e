"""The texts that are agreed to: data in versions. A version never changes; the newest that is in force is shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.consents.records import PURPOSES
from portal.core.i18n import N_
from portal.core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.db import Connection

PARTS: dict[str, str] = {"whole": N_("Above all purposes"), "child": N_("The child's own words"), **PURPOSES}


class NoText(Problem):
    """No version is in force."""

    code = "no-consent-text"
    status = 503
    title = N_("There is no text of consent in force.")
    advice = N_("Nothing was changed. Whoever runs the platform has to publish one; please come back later.")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version with all its parts: part → language → text."""

    version: str
    draft: bool
    in_force_from: date
    made_at: datetime
    made_by: str | None
    texts: dict[str, dict[str, str]]


async def versions(db: Connection) -> list[Version]:
    """All, the newest in force first."""
    rows = await db.fetch(
        """
        select version, bool_or(draft) as draft, min(in_force_from) as in_force_from, min(t.made_at) as made_at,
               min(s.full_name) as made_by, jsonb_agg(jsonb_build_array(part, t.language, text)) as texts
        from consent_text t
        left join staff s on s.id = t.made_by
        group by version
        order by in_force_from desc, made_at desc, version
        """
    )
    return [Version(**{**row, "texts": _by_part(row["texts"])}) for row in rows]


async def in_force(db: Connection, day: date) -> Version:
    """The version of a day."""
    for one in await versions(db):
        if one.in_force_from <= day:
            return one
    raise NoText


async def publish(
    db: Connection,
    *,
    version: str,
    draft: bool,
    in_force_from: date,
    texts: Mapping[str, Mapping[str, str]],
    staff_id: int,
) -> None:
    """Add a version; asyncpg.UniqueViolationError if there is one of this name."""
    await db.executemany(
        """
        insert into consent_text (version, draft, in_force_from, part, language, text, made_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (version, draft, in_force_from, part, language, text, staff_id)
            for part, spoken in texts.items()
            for language, text in spoken.items()
        ],
    )


def _by_part(rows: list[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {part: {} for part in PARTS}
    for part, language, text in rows:
        found[part][language] = text
    return found
