"""A run of scoring: snapshot + parameters + code → result tables with a hash, and a row in score_run.

The same snapshot, parameters and code give the same bytes; straight after each other, no second row is written. A corrected
key, a decision or an exclusion is another snapshot or other parameters, so it makes a new version and never
changes an old one.
"""

from __future__ import annotations

import asyncio
import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from scoring import classical, final, groups, queries, rank, raw, scale, timing
from scoring.artefacts import (
    hash_of,
    parquet,
    put_all,
    read_parquet,
    snapshot_prefix,
    version_prefix,
    with_sums,
)
from scoring.corrections import corrected_keys
from scoring.equate import equated
from scoring.snapshot import Snapshot, read_snapshot
from scoring.structs import HomeQuotaError, LatePolicy, Parameters, SnapshotError

if TYPE_CHECKING:
    from scoring.artefacts import Store
    from scoring.queries import Connection

ABSENT, EXCLUDED = "absent", "excluded"
# The tables of a run, in the order in which a person wants them.
TABLES = (
    "scores",
    "responses",
    "item_table",
    "response_counts",
    "test",
    "distribution",
    "groups",
    "quota",
    "left_out",
    "waiting",
)
Tables = dict[str, pl.DataFrame]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What score_run.summary holds: enough to judge a run without opening its tables."""

    participants: int
    scored: int
    absent: int
    excluded: dict[str, int]
    waiting_attempts: int
    waiting_answers: int
    unreadable_responses: int
    mixed_forms: int
    unequated: int
    forms: list[dict[str, float | int | None]]
    late_policy: LatePolicy
    quota_places: int
    quota_given: int
    quota_at_line: int
    quota_from_home: bool


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A computed run. `files` are its tables as Parquet with SHA256SUMS.

    `version` is None until it is recorded.
    """

    sitting_id: int
    parameters: Parameters
    snapshot_hash: str
    result_hash: str
    code_version: str
    summary: Summary
    files: dict[str, bytes]
    version: int | None = None

    def tables(self) -> Tables:
        """The result tables (TABLES; `quota` only if places were asked for)."""
        return {
            name.removesuffix(".parquet"): read_parquet(body)
            for name, body in self.files.items()
            if name.endswith(".parquet")
        }


def compute(snapshot: Snapshot, parameters: Parameters) -> Run:
    """Score a snapshot. Pure: no clock, no database, no chance.

    Raises HomeQuotaError for a quota list from a home sitting that two persons have not agreed to (SAFETY
    D2).
    """
    if snapshot.tables["keys"].is_empty() and not snapshot.tables["items"].is_empty():
        raise SnapshotError(
            "This copy of the snapshot has no answer keys.", "It was made for showing; score the sitting."
        )
    from_home = bool(parameters.quota) and snapshot.facts.place == "home"
    if from_home and len(set(parameters.home_quota_agreed)) < 2:
        what = "This sitting was held at home, and a quota place needs a supervised confirmation."
        raise HomeQuotaError(what, "Score without a quota, or name the two persons who agree to a list from it.")
    unknown = {e.attempt_id for e in parameters.excluded} - set(snapshot.tables["participants"]["attempt_id"])
    if unknown:
        what = f"Excluded attempts {sorted(unknown)[:5]} are not of this sitting."
        raise SnapshotError(what, "Check the numbers; the participants table of the snapshot has all of them.")
    tables = result_tables(snapshot, parameters)
    files = with_sums({f"{name}.parquet": parquet(table) for name, table in tables.items()})
    return Run(
        sitting_id=snapshot.facts.sitting_id,
        parameters=parameters,
        snapshot_hash=snapshot.hash(),
        result_hash=hash_of(files),
        code_version=code_version(),
        summary=summarise(snapshot, parameters, tables, from_home=from_home),
        files=files,
    )


def result_tables(snapshot: Snapshot, parameters: Parameters) -> Tables:
    """All result tables; the columns of each are explained in scoring/codebook.py."""
    lazy = {name: table.lazy() for name, table in snapshot.tables.items()}
    lazy["keys"] = corrected_keys(snapshot, parameters.corrections).lazy()
    late = parameters.late_policy or snapshot.facts.late_policy
    items = lazy["items"].join(lazy["keys"], on=["form_id", "item"], how="inner")
    judged = final.judged(lazy["events"], lazy["attempts"], snapshot.facts.grace_ms).collect().lazy()
    counting = final.counted(judged, late, parameters.superseded, parameters.decisions)
    responses = final.final_responses(counting).collect().lazy()
    left_out = _left_out(lazy["participants"], lazy["events"], parameters).collect()
    present = lazy["participants"].select("attempt_id").join(left_out.lazy(), on="attempt_id", how="anti")
    scored = raw.form_of_attempts(present, responses, items, snapshot.facts.form_id, _reserve(snapshot))
    cells = raw.cells(scored, raw.marked_responses(responses, items, lazy["options"]), items).collect().lazy()
    times = timing.item_times(lazy["events"], parameters.visit_cap_ms).collect().lazy()
    item_table = _item_table(cells, times, items).collect()
    scores = _scores(
        lazy["participants"], scored, cells, times, item_table.lazy(), parameters, snapshot.facts.form_id
    ).collect()
    tables = {
        "scores": scores,
        "responses": _responses(cells, times).collect(),
        "item_table": item_table,
        "response_counts": classical.response_counts(cells, lazy["options"]).collect(),
        "test": classical.test_statistics(cells).collect(),
        "distribution": groups.distribution(scores.lazy()).collect(),
        "groups": groups.group_figures(lazy["participants"], scores.lazy()).collect(),
        "left_out": left_out,
        "waiting": final.waiting(judged, parameters.superseded, parameters.decisions).collect(),
    }
    if parameters.quota:
        tables["quota"] = rank.quota_list(scores.lazy(), parameters.quota, parameters.tie_at_line).collect()
    return {name: tables[name] for name in TABLES if name in tables}


def _reserve(snapshot: Snapshot) -> tuple[int, pl.Series] | None:
    """The reserve form and who opened it after a restart (SAFETY D1)."""
    form = snapshot.facts.reserve_form_id
    attempts = snapshot.tables["attempts"]
    moved = attempts.filter(pl.col("restarted_ms").is_not_null())["attempt_id"]
    return (form, moved) if form is not None and len(moved) else None


async def score_sitting(
    db: Connection, store: Store, sitting_id: int, parameters: Parameters, *, now_ms: int, made_by: int | None
) -> tuple[Snapshot, Run]:
    """Read, compute and record: what a job calls. `db` is a connection as elumiti_scoring, for this alone.

    Raises NotOverError while anybody may still be writing on the form (SAFETY J6).
    """
    snapshot = await read_snapshot(db, sitting_id, now_ms)
    run = await asyncio.to_thread(compute, snapshot, parameters)
    return snapshot, await record(db, store, snapshot, run, made_by)


async def record(db: Connection, store: Store, snapshot: Snapshot, run: Run, made_by: int | None) -> Run:
    """Store a run's files and write its row; answers with the version.

    The same run again gives the same version, unless another was made since. Files are stored before the row, so a row always has its
    files: sittings/N/snapshots/HASH/… (without names: a child that is erased is in no snapshot) and
    sittings/N/runs/V/…. One run of a sitting is recorded at a time, under a lock of the session: the upload
    may take minutes, and no transaction waits for it.
    """
    parameters = msgspec.json.encode(run.parameters).decode()
    async with queries.recording(db, run.sitting_id):
        earlier = await queries.same_run(db, run.sitting_id, run.snapshot_hash, parameters, run.code_version)
        if earlier is not None:
            return msgspec.structs.replace(run, version=earlier)
        number = await queries.next_version(db, run.sitting_id)
        at = snapshot_prefix(run.sitting_id, run.snapshot_hash)
        await put_all(store, at, snapshot.files(names=False))
        await put_all(store, version_prefix(run.sitting_id, number), run.files)
        row = {
            "parameters": parameters,
            "snapshot_hash": run.snapshot_hash,
            "result_hash": run.result_hash,
            "code_version": run.code_version,
            "summary": msgspec.json.encode(run.summary).decode(),
        }
        await queries.insert_run(db, run.sitting_id, number, made_by, row)
    return msgspec.structs.replace(run, version=number)


def code_version() -> str:
    """Release, hash of this package's source, and the version of Polars that computed.

    What a run was made by.
    """
    home = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(f"{path.relative_to(home).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    try:
        release = version("elumiti")
    except PackageNotFoundError:
        release = "source"
    return f"{release}+{digest.hexdigest()[:12]} polars {pl.__version__}"


def summarise(snapshot: Snapshot, parameters: Parameters, tables: Tables, *, from_home: bool) -> Summary:
    """The figures of score_run.summary."""
    scores, left_out, waiting = tables["scores"], tables["left_out"], tables["waiting"]
    excluded = left_out.filter(pl.col("status") == EXCLUDED).group_by("reason").len().sort("reason")
    late = parameters.late_policy or snapshot.facts.late_policy
    undecided = waiting.filter(pl.col("decision").is_null()) if late is LatePolicy.PERSON else waiting.clear()
    quota = tables.get("quota")
    return Summary(
        participants=snapshot.tables["participants"].height,
        scored=scores.height,
        absent=left_out.filter(pl.col("status") == ABSENT).height,
        excluded=dict(excluded.iter_rows()),
        waiting_attempts=undecided.height,
        waiting_answers=int(undecided["answers"].sum()),
        unreadable_responses=int(scores["unreadable"].sum()),
        mixed_forms=int(scores["mixed"].sum()),
        unequated=int(scores["unequated"].sum()),
        forms=tables["test"].to_dicts(),
        late_policy=late,
        quota_places=sum(parameters.quota.values()),
        quota_given=0 if quota is None else quota.height,
        quota_at_line=0 if quota is None else int(quota["at_line"].sum()),
        quota_from_home=from_home,
    )


def _left_out(participants: pl.LazyFrame, events: pl.LazyFrame, parameters: Parameters) -> pl.LazyFrame:
    """Who has no score and why: attempt_id, status (absent: no event at all; excluded), reason.

    Exclusion goes first.
    """
    reasons = {exclusion.attempt_id: exclusion.reason for exclusion in parameters.excluded}
    reason = pl.col("attempt_id").replace_strict(reasons, default=None, return_dtype=pl.String)
    came = events.select("attempt_id").unique().with_columns(came=pl.lit(value=True))
    return (
        participants.select("attempt_id")
        .join(came, on="attempt_id", how="left")
        .with_columns(reason=reason)
        .filter(pl.col("reason").is_not_null() | pl.col("came").is_null())
        .select(
            "attempt_id",
            status=pl.when(pl.col("reason").is_null()).then(pl.lit(ABSENT)).otherwise(pl.lit(EXCLUDED)),
            reason=pl.col("reason").fill_null(""),
        )
        .sort("attempt_id")
    )


def _item_table(cells: pl.LazyFrame, times: pl.LazyFrame, items: pl.LazyFrame) -> pl.LazyFrame:
    described = items.select("form_id", "item", "section", "kind", "topic", "skill")
    return (
        classical.item_statistics(cells)
        .join(described, on=["form_id", "item"], how="left")
        .join(timing.median_times(times, items), on=["form_id", "item"], how="left")
        .sort("form_id", "position", "item")
    )


def _scores(
    participants: pl.LazyFrame,
    scored: pl.LazyFrame,
    cells: pl.LazyFrame,
    times: pl.LazyFrame,
    item_table: pl.LazyFrame,
    parameters: Parameters,
    main_form: int,
) -> pl.LazyFrame:
    """One row a scored attempt: points, scales, places, time; best first."""
    hardest = rank.hardest_items(item_table, parameters.hard_share)
    spent = times.group_by("attempt_id").agg(pl.col("time_ms", "changes").sum())
    table = (
        raw.raw_scores(cells)
        .join(scored.select("attempt_id", "mixed"), on="attempt_id", how="left")
        .join(rank.hard_points(cells, hardest), on="attempt_id", how="left")
        .with_columns(pl.col("hard_centi").fill_null(0))
        .join(spent, on="attempt_id", how="left")
        .with_columns(pl.col("time_ms", "changes").fill_null(0))
        .join(participants.drop("extra_minutes"), on="attempt_id", how="left")
        .sort("attempt_id")
    )
    scaled = equated(scale.percent_right(table), parameters.equating, main_form)
    scaled = scale.linear(scale.linear(scaled, "scaled_0_100", 0, 100), "scaled_100_200", 100, 200)
    return rank.ranked(scale.stanine(scale.percentile_rank(scale.t_score(scale.z_score(scaled)))))


def _responses(cells: pl.LazyFrame, times: pl.LazyFrame) -> pl.LazyFrame:
    """Every scored attempt × item with what was answered, what it earned, and how long it took."""
    return (
        cells.join(times, on=["attempt_id", "item"], how="left")
        .with_columns(pl.col("time_ms", "looks", "answers", "changes").fill_null(0))
        .sort("attempt_id", "position", "item")
    )
