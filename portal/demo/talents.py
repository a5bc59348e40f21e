"""The demo's talents: a rule in force, a specialist with access, and the consents of a part of the parents.

Whom the rule brings in is weighed from results as soon as somebody publishes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import asyncpg

TITLE = {
    "kk": "«Мың бала»: өңірдің үздік 3 %-ы",
    "ru": "«Мың бала»: лучшие 3 % региона",
    "en": "Myń Bala: best 3 % of the region",
}


async def insert_talents(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """Needs the registry and the staff."""
    await db.execute(
        """
        insert into talent_rule (project, kind, title, share, per, state, made_by, agreed_by, switched_at)
        select 'myn-bala', 'top', $1, 3, 'region', 'on', a.id, b.id, now()
        from staff a, staff b
        where a.login = 'admin' and b.login = 'admin2'
        """,
        msgspec.json.encode(TITLE).decode(),
    )
    await db.execute(
        """
        insert into talent_access (staff_id, reason, agreed_by, ends_at)
        select s.id, 'Қысқы мектепке үміткерлерді таңдау', a.id, now() + interval '60 days'
        from staff s, staff a
        where s.login = 'specialist' and a.login = 'admin'
        """
    )
    # Two of three pupils of the olympiad: for the others the section shows region and reason, and no name.
    await db.execute(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on, recorded_by)
        select p.id, purpose, concat_ws(' ', p.last_name, 'Сәуле'), 'mother', '2026-1', p.language, 'paper', '2026-11-05', a.id
        from person p
        join person_project m on m.person_id = p.id and m.project = 'myn-bala' and m.role = 'pupil',
             unnest(array['registry', 'sitting', 'talents']) as purpose, staff a
        where a.login = 'admin' and p.id % 3 <> 0
        order by p.id, purpose
        """
    )
