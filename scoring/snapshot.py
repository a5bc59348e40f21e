"""Reads a sitting once from Postgres into tables that all else works on, and an analyst can download.

The reading is one repeatable-read transaction, so the tables agree with each other. Names of children stand
in a table of their own (`persons`); everything else is pseudonymous.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from engine.timing import SittingClock
from scoring import queries
from scoring.artefacts import SEALED, SUMS, hash_of, parquet, read_parquet, with_sums
from scoring.deadlines import Controls, Place
from scoring.structs import LatePolicy, NotOverError, SittingFacts, SnapshotError

if TYPE_CHECKING:
    from scoring.queries import Connection, SittingRow

Schema = dict[str, "type[pl.DataType]"]
NAMES: Schema = {
    f"{what}_{language}": pl.String for what in ("school", "district", "region") for language in ("kk", "ru", "en")
}
SCHEMAS: dict[str, Schema] = {
    "events": {
        "attempt_id": pl.Int64, "epoch": pl.Int16, "seq": pl.Int32, "kind": pl.Int16, "item": pl.Int32,
        "value": pl.String, "anchor_ms": pl.Int64, "since_ms": pl.Int32, "received_ms": pl.Int64,
        "marks": pl.Int16,
    },
    "attempts": {
        "attempt_id": pl.Int64, "signed_in_ms": pl.Int64, "started_ms": pl.Int64, "finished_ms": pl.Int64,
        "reopened_ms": pl.Int64, "deadline_ms": pl.Int64, "sealed": pl.Boolean,
        "restarted_ms": pl.Int64,
    },
    "participants": {
        "attempt_id": pl.Int64, "region_code": pl.String, "district_id": pl.Int32, "school_id": pl.Int32,
        "language": pl.String, "gender": pl.String, "grade": pl.Int16, "extra_minutes": pl.Int16,
    },
    "persons": {
        "attempt_id": pl.Int64, "external_id": pl.String, "last_name": pl.String, "first_name": pl.String,
        "middle_name": pl.String, "birth_date": pl.Date, "class_letter": pl.String,
    },
    "places": {"school_id": pl.Int32, "school_code": pl.String, "region_code": pl.String, **NAMES},
    "items": {
        "form_id": pl.Int32, "item": pl.Int32, "code": pl.String, "section": pl.Int16, "position": pl.Int16,
        "kind": pl.String, "topic": pl.String, "skill": pl.String,
    },
    "keys": {
        "form_id": pl.Int32, "item": pl.Int32, "points": pl.Int64, "voided": pl.Boolean, "rule": pl.String,
    },
    "options": {
        "form_id": pl.Int32, "item": pl.Int32, "gap": pl.String, "option": pl.String, "option_id": pl.Int32,
    },
}  # fmt: skip
FACTS = "sitting.json"
# The one table with names and birth dates.
NAMED = "persons"
# The one table with answer keys.
KEYS = "keys"


class MappedItem(msgspec.Struct, frozen=True):
    """form_pack.item_map's value: the wire ids of an item and of its options."""

    id: int
    section: int
    options: dict[str, int | dict[str, int]] = {}
    gaps: dict[str, dict[str, int]] = {}


_decode_map = msgspec.json.Decoder(dict[str, MappedItem]).decode


class Snapshot(msgspec.Struct, frozen=True):
    """A sitting as it was read. `tables` holds those of SCHEMAS, rows in a stable order."""

    facts: SittingFacts
    tables: dict[str, pl.DataFrame]

    def files(self, *, names: bool) -> dict[str, bytes]:
        """The snapshot as files, with their SHA256SUMS; the same snapshot gives the same bytes.

        The names' file is there only with `names`, and SHA256SUMS leaves it out either way: no figure comes
        from it, so a download without names has the same hash and gives the same run.
        """
        made = {f"{name}.parquet": parquet(table) for name, table in self.tables.items() if name != NAMED}
        made[FACTS] = msgspec.json.format(msgspec.json.encode(self.facts), indent=2)
        private = {f"{NAMED}.parquet": parquet(self.tables[NAMED])} if names else {}
        return with_sums(made) | private

    def hash(self) -> str:
        """Hex SHA-256 of the files' SHA256SUMS: what a run names as its input."""
        return hash_of(self.files(names=False))


def from_files(files: dict[str, bytes], *, keys: bool = True) -> Snapshot:
    """The snapshot that `files` came from, so that a run can be repeated from a download alone.

    With `keys=False` the answer keys are left out: enough to show a run, for those who may not read them.
    """
    absent = {NAMED} if keys else {NAMED, KEYS}
    needed = (FACTS, *(f"{table}.parquet" for table in SCHEMAS if table not in absent))
    wrong = [name for name in needed if name not in files]
    if wrong == [f"{KEYS}.parquet"] and wrong[0] + SEALED in files:
        what = "This copy of the snapshot holds its answer keys sealed, as they lie in the store."
        raise SnapshotError(what, "Take it with `elumiti score SITTING --out FOLDER`, where scoring's settings are.")
    if wrong:
        what = f"The snapshot lacks {', '.join(wrong)}."
        raise SnapshotError(what, "Download it again; SHA256SUMS names all of its files.")
    told = {
        line for line in files.get(SUMS, b"").splitlines() if keys or not line.endswith(f"  {KEYS}.parquet".encode())
    }
    if told and {*with_sums({name: files[name] for name in needed})[SUMS].splitlines()} != told:
        what = "A file of the snapshot is not the one that SHA256SUMS names."
        raise SnapshotError(what, "Run `sha256sum -c SHA256SUMS` in its folder to see which, and download it again.")
    facts = msgspec.json.decode(files[FACTS], type=SittingFacts)
    empty = {name: pl.DataFrame(schema=SCHEMAS[name]) for name in absent}
    wanted = {name for name in SCHEMAS if f"{name}.parquet" in files and (keys or name != KEYS)}
    return Snapshot(facts, empty | {name: read_parquet(files[f"{name}.parquet"]) for name in SCHEMAS if name in wanted})


async def read_snapshot(db: Connection, sitting_id: int, now_ms: int) -> Snapshot:
    """Read a sitting. Raises NotOverError while anybody may still be writing on its forms (SAFETY J6)."""
    async with db.transaction(isolation="repeatable_read", readonly=True):
        row = await queries.sitting(db, sitting_id)
        if row is None:
            what = f"There is no sitting {sitting_id}."
            raise SnapshotError(what, "The list of sittings in the portal shows their numbers.")
        await require_over(db, row, [row.form_id], now_ms)
        controls = Controls(await queries.controls(db, sitting_id))
        tables = {"events": await _events(db, sitting_id), "attempts": await _attempts(db, row, controls)}
        for name, rows in (
            ("participants", await queries.participants(db, sitting_id)),
            ("persons", await queries.persons(db, sitting_id)),
            ("places", await queries.places(db, sitting_id)),
        ):
            tables[name] = pl.DataFrame(rows, schema=SCHEMAS[name], orient="row")
        forms = await _used_forms(db, row, tables)
        await require_over(db, row, forms, now_ms)
        tables.update(_forms(await queries.items(db, forms), await queries.item_maps(db, forms)))
    return Snapshot(_facts(row, controls), tables)


async def require_over(db: Connection, sitting: SittingRow, forms: list[int], now_ms: int) -> None:
    """No figure that depends on the keys of `forms` before the last window of each is over (SAFETY J6).

    Over is a sitting that was closed, or one whose last possible end, with every extra minute and the grace,
    is past.
    """
    for row in await queries.sittings_on_forms(db, forms):
        if row.state in ("closed", "archived"):
            continue
        controls = Controls(await queries.controls(db, row.id))
        if controls.someone_is_paused():
            what = f"Sitting {row.id} is paused for somebody, so its end is not known."
            raise NotOverError(what, "Resume or close it; scoring starts when nobody can write on the form any more.")
        end = controls.last_end(_clock(row), row.longest_extra_s)
        if now_ms <= end:
            until = datetime.fromtimestamp(end / 1000, UTC)
            what = f"Sitting {row.id} uses this form and may run until {until:%Y-%m-%d %H:%M} UTC."
            raise NotOverError(what, "Score after that time, or close the sitting first.")
    if sitting.state == "draft":
        what = f"Sitting {sitting.id} was never published."
        raise NotOverError(what, "There is nothing to score.")


def _clock(row: SittingRow) -> SittingClock:
    return SittingClock(
        waiting_opens_ms=row.waiting_opens_ms,
        starts_ms=row.starts_ms,
        last_entry_ms=row.last_entry_ms,
        duration_s=row.duration_s,
        ends_ms=row.ends_ms,
        grace_s=row.grace_s,
    )


def _facts(row: SittingRow, controls: Controls) -> SittingFacts:
    return SittingFacts(
        sitting_id=row.id,
        title=msgspec.json.decode(row.title, type=dict[str, str]),
        form_id=row.form_id,
        reserve_form_id=row.reserve_form_id,
        grace_ms=row.grace_s * 1000,
        late_policy=LatePolicy(row.late_policy),
        place=row.place,
        state=row.state,
        starts_ms=row.starts_ms,
        last_end_ms=controls.last_end(_clock(row), row.longest_extra_s),
    )


async def _used_forms(db: Connection, sitting: SittingRow, tables: dict[str, pl.DataFrame]) -> list[int]:
    """The sitting's form, and the reserve if anybody opened it.

    An unused reserve gives no figure.
    """
    if sitting.reserve_form_id is None:
        return [sitting.form_id]
    maps = await queries.item_maps(db, [sitting.reserve_form_id])
    ids = [item.id for text in maps.values() for item in _decode_map(text).values()]
    used = tables["events"]["item"].is_in(ids).any() or tables["attempts"]["restarted_ms"].is_not_null().any()
    return [sitting.form_id, sitting.reserve_form_id] if used else [sitting.form_id]


async def _events(db: Connection, sitting_id: int) -> pl.DataFrame:
    with tempfile.TemporaryDirectory(prefix="elumiti-score-") as folder:
        path = Path(folder) / "events.csv"
        await queries.copy_events(db, sitting_id, path)
        return pl.read_csv(path, schema=SCHEMAS["events"])


async def _attempts(db: Connection, sitting: SittingRow, controls: Controls) -> pl.DataFrame:
    clock = _clock(sitting)
    rows: queries.Rows = []
    for (
        attempt,
        region,
        school,
        extra_s,
        signed_in,
        started,
        restarted,
        finished,
        reopened,
        sealed,
    ) in await queries.attempts(db, sitting.id):
        place = Place(sitting_id=sitting.id, region_code=region, school_id=school, attempt_id=attempt, extra_s=extra_s)
        rows.append(
            (
                attempt,
                signed_in,
                started,
                finished,
                reopened,
                controls.deadline(clock, place, restarted or started),
                sealed,
                restarted,
            )
        )
    return pl.DataFrame(rows, schema=SCHEMAS["attempts"], orient="row")


def _forms(rows: queries.Rows, maps: dict[int, str]) -> dict[str, pl.DataFrame]:
    """items, keys and options of the packed forms, with their wire ids."""
    packed = {form: _decode_map(text) for form, text in maps.items()}
    items: queries.Rows = []
    keys: queries.Rows = []
    options: queries.Rows = []
    for form, code, section, position, kind, topic, skill, rule, points, voided in rows:
        if form not in packed:
            continue
        if rule is None:
            what = f"Item {code} of form {form} has no key."
            raise SnapshotError(what, "Give it one, or void it with a key of 0 points, then score again.")
        mapped = packed[form].get(code)
        if mapped is None:
            what = f"Item {code} of form {form} is not in the form's packing."
            raise SnapshotError(what, "Items were added after packing; the packed form is the one that was sat.")
        items.append((form, mapped.id, code, section, position, kind, topic, skill))
        keys.append((form, mapped.id, points, voided, rule))
        for name, target in sorted({**mapped.options, **mapped.gaps}.items()):
            if isinstance(target, int):
                options.append((form, mapped.id, "", name, target))
            else:
                options.extend((form, mapped.id, name, option, wire) for option, wire in sorted(target.items()))
    ids = [item[1] for item in items]
    if len(set(ids)) != len(ids):
        what = "Two items of the sitting's forms have the same number on the wire."
        raise SnapshotError(what, "Pack one of the forms again before a sitting uses both.")
    made = {"items": items, "keys": keys, "options": options}
    return {name: pl.DataFrame(table, schema=SCHEMAS[name], orient="row") for name, table in made.items()}
