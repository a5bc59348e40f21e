"""A sitting that was really sat: a packed form with keys, three pupils' answers, closed; and the scoring worker."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.protocol import KINDS
from infra.local import environment
from infra.settings import ScoringSettings, read
from portal.scoring_work import run_one
from tests.support.sittings import make_sitting as make_packed

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House, Visitor
    from tests.support.sittings import Scene

HOUR_MS = 3_600_000


class Sat(msgspec.Struct, kw_only=True):
    """A closed sitting; each item's right answer is A and earns one point."""

    house: House
    stack: Stack
    scene: Scene

    @property
    def base(self) -> str:
        """Where its results are."""
        return f"/sittings/{self.scene.sitting}/scores"

    @property
    def attempts(self) -> list[int]:
        """The pupils, in the order of their making."""
        return [seat.attempt for seat in self.scene.seats]

    def answer(self, pupil: int, letters: dict[str, str], *, silent: bool = False, first: int = 1) -> None:
        """Events of a pupil's phone; `silent`: they came half an hour after the end and prove nothing of their time."""
        attempt, now_ms = self.attempts[pupil], int(time.time() * 1000)
        received = now_ms - (HOUR_MS // 2 if silent else 2 * HOUR_MS)
        for seq, (code, letter) in enumerate(letters.items(), start=first):
            self.house.sql(
                """
                insert into response_event (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms,
                                            received_ms)
                values ($1, $2, $3, $4, $5, $6, $7, $8, 1000, $9)
                """,
                *(self.scene.sitting, attempt, uuid.UUID(int=attempt), seq, KINDS["answer"], self.scene.items[code]),
                *(str(self.scene.options[code][letter]), now_ms - 2 * HOUR_MS, received),
            )

    def score(self, analyst: Visitor) -> int:
        """Ask for a run and let the worker do it; its number."""
        assert analyst.post(f"{self.base}/run").status_code == 303
        job = self.house.sql("select max(id) as id from job where sitting_id = $1", self.scene.sitting)[0]["id"]
        settings = read(ScoringSettings, environment(self.stack.home, "scoring"))
        self.house.loop.run(run_one(self.house.front.inner.state.pool, settings, job))
        row = self.house.sql("select state, result from job where id = $1", job)[0]
        assert row["state"] == "done", row["result"]
        return row["result"]["version"]

    def agree(self, second: Visitor) -> None:
        """The second person does what waits for this sitting."""
        act = self.house.sql(
            "select id from pending_act where sitting_id = $1 and state = 'waits'", self.scene.sitting
        )[0]["id"]
        answer = second.post(f"/acts/{act}/decide", {"do": "do"})
        assert answer.status_code == 303, answer.text


@pytest.fixture
def make_sat(house: House, stack: Stack, owner_url: str) -> Callable[..., Sat]:
    """Four items; pupils 0 and 1 have three right, pupil 2 has one right and one that came after a silence."""

    def make(place: str = "hall") -> Sat:
        scene = house.loop.run(
            make_packed(stack, owner_url, pupils=3, starts_in_s=-3 * 3600, last_entry_s=900, duration_s=7200, items=4)
        )
        house.sql("update sitting set place = $2, state = 'closed' where id = $1", scene.sitting, place)
        house.sql("insert into sitting_region values ($1, 'KZ-10')", scene.sitting)
        for code in scene.items:
            house.sql(
                "insert into keys.item_key (form_id, code, rule, points) values ($1, $2, $3, 1) "
                "on conflict (form_id, code) do update set rule = excluded.rule, points = 1",
                *(scene.form, code, {"type": "choice", "right": ["A"]}),
            )
        sat = Sat(house=house, stack=stack, scene=scene)
        for attempt in sat.attempts:
            house.sql(
                "insert into attempt (id, sitting_id, signed_in_at, started_at) "
                "values ($1, $2, now() - interval '3 hours', now() - interval '3 hours')",
                *(attempt, scene.sitting),
            )
        first, second, third, fourth = sorted(scene.items)
        sat.answer(0, {first: "A", second: "A", third: "A", fourth: "B"})
        sat.answer(1, {first: "A", second: "A", third: "A", fourth: "B"})
        sat.answer(2, {first: "A"})
        sat.answer(2, {second: "A"}, silent=True, first=2)
        return sat

    return make
