"""A small sitting, made as a snapshot: five pupils, three items, one who never came."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import polars as pl
import pytest

from scoring.rules import ChoiceRule, NumericRule, Rule, TextRule
from scoring.snapshot import SCHEMAS, Snapshot
from scoring.structs import Kind, LatePolicy, SittingFacts

RULES: list[Rule] = [ChoiceRule(("B",)), NumericRule("3.5"), TextRule(("мектеп", "school"))]
KINDS = ["single", "numeric", "short_text"]
POINTS = [100, 200, 300]
# attempt → its final answers; 5 never came.
ANSWERS: dict[int, list[str | None]] = {
    1: ["12", '"3,5"', '"Мектеп"'],
    2: ["12", '"3.5"', '"үй"'],
    3: ["11", '"7"', '"мектеп"'],
    4: ["11", None, None],
}
START = 1_760_000_000_000
DEADLINE = START + 3_600_000


def facts(place: str = "hall", late: LatePolicy = LatePolicy.PERSON) -> SittingFacts:
    return SittingFacts(
        sitting_id=3,
        title={"kk": "Сынақ", "ru": "Проба", "en": "Trial"},
        form_id=1,
        reserve_form_id=None,
        grace_ms=120_000,
        late_policy=late,
        place=place,
        state="closed",
        starts_ms=START,
        last_end_ms=DEADLINE,
    )


def events() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for attempt, answers in ANSWERS.items():
        seq = 0
        for place, value in enumerate(answers):
            seq += 1
            at = 60_000 * (place + 1)
            rows.append((attempt, 1, seq, Kind.VIEW, 101 + place, None, START, at, START + at + 5000, 0))
            if value is not None:
                seq += 1
                rows.append(
                    (
                        attempt,
                        1,
                        seq,
                        Kind.ANSWER,
                        101 + place,
                        value,
                        START,
                        at + 20_000,
                        START + at + 25_000,
                        0,
                    )
                )
        rows.append((attempt, 1, seq + 1, Kind.FINISH, None, None, START, 600_000, START + 605_000, 0))
    return rows


def snapshot(place: str = "hall", extra_events: list[tuple[object, ...]] | None = None) -> Snapshot:
    names = ["Абай облысы", "Абайская область", "Abai Region"]
    rows: dict[str, list[tuple[object, ...]]] = {
        "events": sorted([*events(), *(extra_events or [])], key=lambda row: row[:3]),  # type: ignore[arg-type]
        "attempts": [(n, START - 60_000, START, None, None, DEADLINE, True, None) for n in ANSWERS],
        "participants": [
            (n, "KZ-10" if n < 4 else "KZ-11", 1, 1, "kk", "f" if n % 2 else "m", 5, 0) for n in range(1, 6)
        ],
        "persons": [
            (
                n,
                f"MB-{n:05d}",
                ["=1+1", "@SUM(A1)", "+7 701 000", "-Аружан", "Әлия"][n - 1],
                "Айша",
                "",
                None,
                "А",
            )
            for n in range(1, 6)
        ],
        "places": [
            (
                1,
                "10-01-1",
                "KZ-10",
                "№ 1 мектеп",
                "Школа № 1",
                "School No. 1",
                "Абай ауданы",
                "Абайский район",
                "Abai District",
                *names,
            )
        ],
        "items": [(1, 101 + n, f"M{n + 1:02d}", 1, n + 1, KINDS[n], "logic", "trial") for n in range(3)],
        "keys": [(1, 101 + n, POINTS[n], False, msgspec.json.encode(RULES[n]).decode()) for n in range(3)],
        "options": [(1, 101, "", code, 10 + n) for n, code in enumerate("ABCD", 1)],
    }
    tables = {name: pl.DataFrame(rows[name], schema=SCHEMAS[name], orient="row") for name in SCHEMAS}
    return Snapshot(facts(place), tables)


@pytest.fixture
def sitting() -> SimpleNamespace:
    """The small sitting: `sitting.snapshot(place, extra_events)`, and its START and DEADLINE."""
    return SimpleNamespace(snapshot=snapshot, START=START, DEADLINE=DEADLINE)
