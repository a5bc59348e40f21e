"""A published run with a table of its own, persons of the registry, a rule in force, a specialist with access."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import pytest

from infra.objects import open_bucket
from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.persons.conftest import form_of
from tests.portal.scores.conftest import make_sat  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Place, Scene, Visitor

marks = itertools.count(1)
CONSENT = {
    "purpose": "talents",
    "given_by": "Серікова Гүлнар",
    "relation": "mother",
    "given_on": "01.09.2026",
    "text_version": "2026-09",
    "language": "kk",
    "channel": "paper",
}
TOP = {
    "project": "myn-bala",
    "kind": "top",
    "title_kk": "Өңір үздіктері",
    "share": "3",
    "per": "region",
    "reason": "№ 7",
}
OFTEN = {
    "project": "myn-bala",
    "kind": "often",
    "title_kk": "Екі рет",
    "percentile": "90",
    "times": "2",
    "reason": "№ 8",
}


class Section(msgspec.Struct, kw_only=True):
    """The section as its people use it."""

    house: House
    place: Place
    admin: Visitor
    second: Visitor

    def person(self, **values: object) -> int:
        """A person of the registry, added by the form."""
        answer = self.admin.post("/persons/new", form_of(self.place, **values))
        assert answer.status_code == 303, answer.text[-2000:]
        return int(answer.headers["location"].split("/")[-1])

    def consent(self, person: int, **values: object) -> None:
        """A parent's consent, recorded by the form."""
        answer = self.admin.post(f"/persons/{person}/consents", {**CONSENT, **values})
        assert answer.status_code == 303, answer.text[-2000:]

    def agree(self, act: str) -> None:
        """The second person does what waits."""
        row = self.house.sql("select max(id) as id from pending_act where act = $1 and state = 'waits'", act)[0]
        answer = self.second.post(f"/acts/{row['id']}/decide", {"do": "do"})
        assert answer.status_code == 303, answer.text[-2000:]

    def rule(self, **values: object) -> int:
        """A rule that two persons put in force."""
        answer = self.admin.post("/talents/rules/new", values)
        assert answer.status_code == 303, answer.text[-3000:]
        self.agree("talent.rule")
        return self.house.sql("select max(id) as id from talent_rule")[0]["id"]

    def weigh(self) -> dict[str, int]:
        """Press the button and let the worker do it."""
        assert self.admin.post("/talents/weigh").status_code == 303
        job = self.house.sql("select max(id) as id from job where kind = 'talents-weigh'")[0]["id"]
        pool = self.house.front.inner.state.pool
        self.house.loop.run(run_one(pool, self.house.settings, WORK, job), 60)
        row = self.house.sql("select state, result from job where id = $1", job)[0]
        assert row["state"] == "done", row["result"]
        return row["result"]

    def specialist(self, **where: object) -> Visitor:
        """A specialist of Qabilet whose access two persons agreed to."""
        visitor = self.house.worker("qabilet-specialist", project="qabilet", **where)
        answer = visitor.post("/talents/ask", {"reason": "Жазғы мектеп", "days": "30"})
        assert answer.status_code == 303, answer.text[-2000:]
        self.agree("talent.access")
        return visitor

    def inside(self, person: int) -> list[tuple[str | None, dict[str, object]]]:
        """(why he left or None, reason) of each of his times, oldest first."""
        rows = self.house.sql("select left_why, reason from talent where person_id = $1 order by id", person)
        return [(row["left_why"], row["reason"]) for row in rows]

    def publish(self, scene: Scene, percentiles: dict[int, float], *, of: int = 40) -> int:
        """A published run in which these attempts stand first, by percentile; so many others stand behind them."""
        first = sorted(percentiles, key=lambda one: -percentiles[one])
        rows = [
            {
                "attempt_id": attempt,
                "region_code": scene.place.region,
                "rank_nation": place,
                "rank_region": place,
                "percentile_rank": percentiles.get(attempt, 40.0),
            }
            for place, attempt in enumerate([*first, *range(-1, -of - 1 + len(first), -1)], 1)
        ]
        body = io.BytesIO()
        pl.DataFrame(rows).with_columns(pl.col("rank_nation", "rank_region").cast(pl.UInt32)).write_parquet(body)
        version = self.house.sql(
            """
            insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary,
                                   published_at)
            select $1, coalesce(max(version), 0) + 1, '{}', '-', '-', '-', '{}', now()
            from score_run where sitting_id = $1
            returning version
            """,
            scene.id,
        )[0]["version"]

        async def put() -> None:
            settings = self.house.settings
            async with open_bucket(settings.objects, settings.score_bucket) as bucket:
                await bucket.ensure()
                await bucket.put(f"sittings/{scene.id}/runs/{version:04d}/scores.parquet", body.getvalue())

        self.house.loop.run(put())
        return version


@pytest.fixture
def section(house: House, place: Place) -> Iterator[Section]:
    """Nothing in force yet, whoever was here before; no rule and run of this test outlives it: a weighing goes by all."""
    _empty(house)
    yield Section(
        house=house,
        place=place,
        admin=house.worker("test-administrator"),
        second=house.worker("test-administrator"),
    )
    _empty(house)


def _empty(house: House) -> None:
    house.sql("update talent_rule set state = 'off'")
    house.sql("update score_run set published_at = null where published_at is not null")
    house.sql("update talent set left_at = now(), left_why = 'rule' where left_at is null")
    house.sql("delete from talent_unmatched")


@pytest.fixture
def scene(make_sitting: Callable[..., Scene]) -> Scene:
    """A sitting that is over."""
    return make_sitting(state="closed", starts_in_s=-7200)
