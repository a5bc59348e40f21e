"""A whole run over a small sitting: right figures, and the same bytes each time."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import polars as pl
import pytest

from scoring.run import TABLES, compute
from scoring.snapshot import from_files
from scoring.structs import Decision, Exclusion, HomeQuotaError, Kind, LatePolicy, Parameters, SnapshotError


def test_scores_and_places(sitting: SimpleNamespace) -> None:
    """6, 3, 3 and 0 of 6 points. The hardest item is M03 (1 of 3) or M02; it parts the two with 3 points."""
    run = compute(sitting.snapshot(), Parameters())
    rows = {row["attempt_id"]: row for row in run.tables()["scores"].to_dicts()}
    assert {n: row["raw"] for n, row in rows.items()} == {1: 6.0, 2: 3.0, 3: 3.0, 4: 0.0}
    assert {n: row["percent"] for n, row in rows.items()} == {1: 100.0, 2: 50.0, 3: 50.0, 4: 0.0}
    assert {n: row["scaled_100_200"] for n, row in rows.items()} == {1: 200, 2: 150, 3: 150, 4: 100}
    # M01, M02 and M03 were each solved by two of four; of equal ones the last counts as harder: M03.
    assert {n: row["rank_nation"] for n, row in rows.items()} == {1: 1, 3: 2, 2: 3, 4: 4}
    assert {n: row["rank_region"] for n, row in rows.items()} == {1: 1, 3: 2, 2: 3, 4: 1}


def test_who_never_came_is_absent_and_has_no_zero(sitting: SimpleNamespace) -> None:
    """Absent pupils are in no mean."""
    run = compute(sitting.snapshot(), Parameters())
    assert run.summary.absent == 1
    assert run.summary.scored == 4
    assert run.summary.forms[0]["mean"] == 3.0
    assert run.tables()["left_out"].rows() == [(5, "absent", "")]


def test_excluded_attempts_are_listed_with_reason_and_in_no_figure(sitting: SimpleNamespace) -> None:
    """Two sat together: both out, counted under their reason."""
    out = tuple(Exclusion(n, "sat for another") for n in (1, 5))
    run = compute(sitting.snapshot(), Parameters(excluded=out))
    assert run.summary.excluded == {"sat for another": 2}
    assert (run.summary.scored, run.summary.absent) == (3, 0)
    assert 1 not in run.tables()["scores"]["attempt_id"]


def test_unknown_exclusion_is_an_error_not_a_silent_nothing(sitting: SimpleNamespace) -> None:
    """A slip of the pen must not leave the cheat in."""
    with pytest.raises(SnapshotError, match="99"):
        compute(sitting.snapshot(), Parameters(excluded=(Exclusion(99, "x"),)))


def test_the_same_run_gives_the_same_bytes(sitting: SimpleNamespace) -> None:
    """Input hash, result hash and every file."""
    one, other = compute(sitting.snapshot(), Parameters()), compute(sitting.snapshot(), Parameters())
    assert one == other
    assert one.files == other.files


def test_a_downloaded_snapshot_gives_the_same_run(sitting: SimpleNamespace) -> None:
    """The analyst's notebook reaches the same bytes as the platform."""
    files = sitting.snapshot().files(names=False)
    assert compute(from_files(files), Parameters()) == compute(sitting.snapshot(), Parameters())


def test_names_take_no_part_in_a_run(sitting: SimpleNamespace) -> None:
    """With or without the names' file: the same input hash, the same result."""
    whole, plain = (sitting.snapshot().files(names=names) for names in (True, False))
    assert "persons.parquet" in whole
    assert "persons.parquet" not in plain
    assert compute(from_files(whole), Parameters()) == compute(from_files(plain), Parameters())


def test_an_altered_download_is_refused(sitting: SimpleNamespace) -> None:
    """SHA256SUMS holds the set together."""
    files = sitting.snapshot().files(names=False)
    files["keys.parquet"] = files["options.parquet"]
    with pytest.raises(SnapshotError, match="SHA256SUMS"):
        from_files(files)


def test_another_key_gives_another_snapshot_and_another_result(sitting: SimpleNamespace) -> None:
    """A corrected key is a new version by its hashes alone."""
    corrected = sitting.snapshot()
    corrected.tables["keys"] = corrected.tables["keys"].with_columns(
        rule=pl.when(pl.col("item") == 101).then(pl.lit('{"type":"choice","right":["A"]}')).otherwise("rule")
    )
    before, after = compute(sitting.snapshot(), Parameters()), compute(corrected, Parameters())
    assert before.snapshot_hash != after.snapshot_hash
    assert before.result_hash != after.result_hash


def test_late_answers_wait_for_a_person(sitting: SimpleNamespace) -> None:
    """Shown with what they would change; counted once a person said so."""
    received = sitting.DEADLINE + 500_000
    late = [(4, 1, 50, Kind.ANSWER, 102, '"3,5"', sitting.START + 60_000, 0, received, 0)]
    waits = sitting.snapshot(extra_events=late)
    waits.tables["events"] = waits.tables["events"].filter(
        ~((pl.col("attempt_id") == 4) & (pl.col("kind") == int(Kind.FINISH)))
    )
    run = compute(waits, Parameters())
    assert (run.summary.waiting_attempts, run.summary.waiting_answers) == (1, 1)
    assert run.tables()["waiting"].row(0, named=True)["longest_silence_ms"] == received - sitting.START - 60_000
    decided = compute(waits, Parameters(decisions=(Decision(4, count=True, reason="no line in the village"),)))
    assert decided.summary.waiting_attempts == 0
    points = dict(decided.tables()["scores"].select("attempt_id", "raw").iter_rows())
    assert points[4] == 2.0
    counted = compute(waits, Parameters(late_policy=LatePolicy.COUNT))
    assert dict(counted.tables()["scores"].select("attempt_id", "raw").iter_rows())[4] == 2.0


def test_quota_from_home_needs_two_persons(sitting: SimpleNamespace) -> None:
    """One person twice is one person; with two the summary says that the list is from home."""
    quota = {"KZ-10": 1}
    with pytest.raises(HomeQuotaError):
        compute(sitting.snapshot("home"), Parameters(quota=quota))
    with pytest.raises(HomeQuotaError):
        compute(sitting.snapshot("home"), Parameters(quota=quota, home_quota_agreed=("a", "a")))
    run = compute(sitting.snapshot("home"), Parameters(quota=quota, home_quota_agreed=("a", "b")))
    assert run.summary.quota_from_home
    assert not compute(sitting.snapshot("hall"), Parameters(quota=quota)).summary.quota_from_home


def test_item_table_and_responses(sitting: SimpleNamespace) -> None:
    """Facility of the three items, time on them, and what was answered."""
    tables = compute(sitting.snapshot(), Parameters()).tables()
    assert set(tables) == set(TABLES) - {"quota"}
    assert tables["item_table"]["facility"].to_list() == [0.5, 0.5, 0.5]
    assert tables["item_table"]["omitted_share"].to_list() == [0.0, 0.25, 0.25]
    assert tables["item_table"]["median_time_ms"].to_list()[0] == 60_000.0
    chosen = tables["responses"].filter(pl.col("attempt_id") == 2)["chosen"].to_list()
    assert chosen == ["B", "3.5", "үй"]


def test_small_groups_are_suppressed(sitting: SimpleNamespace) -> None:
    """A mean of one region's single pupil is that pupil."""
    rows = (
        compute(sitting.snapshot(), Parameters()).tables()["groups"].filter(pl.col("split") == "region_code").to_dicts()
    )
    assert [(row["value"], row["participants"], row["scored"], row["suppressed"]) for row in rows] == [
        ("KZ-10", 3, 3, True),
        ("KZ-11", 2, 1, True),
    ]
    assert all(row["mean_points"] is None for row in rows)


def test_parameters_survive_the_record() -> None:
    """What score_run holds is enough to run again."""
    parameters = Parameters(quota={"KZ-10": 2}, decisions=(Decision(4, count=True, reason="x"),))
    assert msgspec.json.decode(msgspec.json.encode(parameters), type=Parameters) == parameters
