"""The demo's registrations on a real schema: the teacher's code opens the form, two wait, the pupil signs in to its own page."""

from __future__ import annotations

import asyncpg
import pytest

from infra.local import decode_key
from portal.core.iin import keys_of
from portal.demo import tables
from portal.demo.people import draw_people
from portal.demo.registration import Class, insert_registrations
from portal.demo.registry import insert_registry
from tests.portal.conftest import House, house  # noqa: F401 (a fixture)


class _UndoneError(Exception):
    """Ends the transaction: the demo's country is not left to other tests."""


def test_a_class_with_its_code_and_who_waits(house: House) -> None:  # noqa: F811
    async def go() -> tuple[Class, list[asyncpg.Record], int]:
        db = await asyncpg.connect(house.owner_url)
        found: list[object] = []
        try:
            with pytest.raises(_UndoneError):
                async with db.transaction():
                    before = await db.fetchval("select coalesce(max(id), 0) from registration")
                    people = draw_people()
                    schools = await tables.insert_territory(db, people)
                    await insert_registry(db, people, schools, keys_of(house.settings))
                    made = await insert_registrations(db, people, schools, decode_key(house.settings.link_key))
                    waiting = await db.fetch(
                        """
                        select g.state, exists (
                            select 1 from person p
                            where p.name_key = g.name_key and p.birth_date = g.birth_date and p.school_id = g.school_id) as known
                        from registration g where g.id > $1 order by g.id
                        """,
                        before,
                    )
                    pupil = await db.fetchval(
                        "select count(*) from consent c join staff s on s.person_id = c.person_id where s.login = 'pupil'"
                    )
                    found.extend((made, waiting, pupil))
                    raise _UndoneError
        finally:
            await db.close()
        return found[0], found[1], found[2]  # type: ignore[return-value]

    made, waiting, consents = house.loop.run(go(), 120)
    assert [login for login, *_ in made.logins] == ["teacher", "pupil"]
    assert len(made.code.replace("-", "")) == 8
    assert [(row["state"], row["known"]) for row in waiting] == [("teacher", True), ("teacher", False)]
    assert consents == 4
