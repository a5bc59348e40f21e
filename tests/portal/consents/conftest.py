"""A person with a consent to each purpose, and with all that these feed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import pytest

from portal.core import consents, jobs
from portal.core import post as letters
from portal.core.consents import PURPOSES, erasing
from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.persons.conftest import an_iin, form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Place, Scene, Visitor

marks = itertools.count(1)
GIVEN = {
    "given_by": "Серікова Гүлнар",
    "relation": "mother",
    "given_on": "01.09.2026",
    "text_version": "2026-1",
    "language": "kk",
    "channel": "paper",
}
TALENT = """
    with rule as (
        insert into talent_rule (project, kind, title, share, per, state, made_by, agreed_by, switched_at)
        select 'myn-bala', 'top', '{"kk": "x", "ru": "x", "en": "x"}', 3, 'region', 'off', a.first, a.last, now()
        from (select min(id) as first, max(id) as last from staff) a returning id
    ), run as (
        insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary)
        values ($2, 1, '{}', '-', '-', '-', '{}') returning id
    )
    insert into talent (person_id, rule_id, run_id, reason, since) select $1, rule.id, run.id, '{}', now() from rule, run
"""


class Child(msgspec.Struct, kw_only=True):
    """Everything about one person."""

    house: House
    admin: Visitor
    coordinator: Visitor
    person: int
    pupil: int
    sitting: int

    def withdraw(self, purpose: str) -> None:
        """By the form of the card."""
        sent = {"withdrawn": purpose, "note": "Анасының өтініші"}
        assert self.admin.post(f"/persons/{self.person}/consents/withdraw", sent).status_code == 303

    def write(self) -> int:
        """A letter to the child's parent, as another feature would put it; its number."""

        async def go() -> int:
            async with self.house.front.inner.state.pool.acquire() as db:
                return await letters.put(
                    db,
                    staff_id=None,
                    address="parent@mail.test",
                    kind="notice.job.done",
                    language="kk",
                    filled={"job": "x", "link": "/"},
                    person_id=self.person,
                )

        return self.house.loop.run(go())

    def erase(self, *, due: bool = True) -> dict[str, object]:
        """The daily job; `due`: the day has come."""
        if due:
            self.house.sql(
                "update erasure set asked_at = asked_at - interval '15 days', due_at = due_at - interval '15 days' where person_id = $1",
                self.person,
            )
        pool = self.house.front.inner.state.pool

        async def ask() -> int:
            async with pool.acquire() as db:
                return await jobs.ask(db, erasing.KIND, sitting_id=None, made_by=None, payload={})

        job = self.house.loop.run(ask())
        self.house.loop.run(run_one(pool, self.house.settings, WORK, job), 60)
        row = self.house.sql("select state, result from job where id = $1", job)[0]
        assert row["state"] == "done", row["result"]
        return row["result"]

    def holds(self, purpose: str) -> bool:
        """As the ingest of snapshots asks it: without any territory."""

        async def go() -> bool:
            async with self.house.front.inner.state.pool.acquire() as db:
                return await consents.holds(db, self.person, purpose)

        return self.house.loop.run(go())

    def state(self) -> dict[str, object]:
        """What each purpose feeds, as it stands."""
        row = self.house.sql(
            """
            select p.status, p.last_name, p.phone, (select count(*) from person_iin i where i.person_id = p.id) as iin,
                   (select count(*) from talent t where t.person_id = p.id and t.left_at is null) as inside,
                   (select count(*) from talent t where t.person_id = p.id) as stays,
                   (select count(*) from post o where o.person_id = p.id and o.state in ('queued', 'failed')) as letters
            from person p where p.id = $1
            """,
            self.person,
        )[0]
        seat = self.house.sql("select locked_at is not null as locked from participant where id = $1", self.pupil)
        return {
            "registry": (row["status"], row["last_name"], row["iin"]),
            "contact": (row["phone"], row["letters"]),
            "talents": (row["inside"], row["stays"]),
            "sitting": seat[0]["locked"] if seat else None,
            "camera": self.holds("camera"),
            "publication": self.holds("publication"),
        }


@pytest.fixture
def child(house: House, place: Place, make_sitting: Callable[..., Scene]) -> Iterator[Child]:
    """With all consents; a sitting tomorrow has a code for it; it is in the talents; a letter waits."""
    # What others left in the outbox is not this child's.
    house.sql("delete from post")
    admin, coordinator = house.worker("test-administrator"), house.worker("myn-bala-coordinator", region=place.region)
    scene = make_sitting(starts_in_s=86_400)
    mark = f"w{next(marks)}-{place.region}"
    form = form_of(
        place, last_name="Жарылқасын", first_name="Аяла", phone="+7 700 7", external_id=mark, iin=an_iin(), sex="f"
    )
    person = int(admin.post("/persons/new", form).headers["location"].split("/")[-1])
    for purpose in PURPOSES:
        assert admin.post(f"/persons/{person}/consents", {**GIVEN, "purpose": purpose}).status_code == 303
    house.sql("update participant set external_id = $2 where id = $1", scene.pupils[0], mark)
    house.sql(TALENT, person, scene.id)
    made = Child(
        house=house,
        admin=admin,
        coordinator=coordinator,
        person=person,
        pupil=scene.pupils[0],
        sitting=scene.id,
    )
    made.write()
    yield made
    # Nor is this child's letter another test's.
    house.sql("delete from post")
