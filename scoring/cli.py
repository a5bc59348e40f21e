"""`elumiti score`: score a finished sitting and take the report away."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import asyncpg
import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console

from infra.errors import PlainError
from infra.local import adopt
from infra.settings import ScoringSettings, read
from scoring import report, report_pdf
from scoring.artefacts import FolderStore, put_all
from scoring.decided import with_decided
from scoring.run import Run, compute, score_sitting
from scoring.sealed import score_store
from scoring.snapshot import Snapshot, from_files
from scoring.structs import Decision, Equating, Exclusion, LatePolicy, Parameters, SupersededPolicy, TieAtLine
from scoring.words import Language

app = cyclopts.App(
    name="score",
    help="""Score a finished sitting, reproducibly, and take the report away.

A run reads the sitting once (the snapshot), computes points, scales, item
statistics and places, and is recorded with the hashes of what went in and
what came out. The same run again gives the same bytes and no second record.
Nobody can score while anybody may still be writing on the sitting's form.

With --out a folder gets report.xlsx, report.pdf, a CSV a table with
codebook.csv beside them, run/ (the result tables as Parquet) and snapshot/
(all that is needed to compute the run again; names only with --names).

Score sitting 3, write the report in Kazakh, without names:

  elumiti score 3 --out report

With names, in Russian; then the files say for whom and for what:

  elumiti score 3 --out report --language ru --names --reader "A. Serik" \\
    --purpose "quota commission"

A quota list; who shares the place at the line stays out:

  elumiti score 3 --quota KZ-10=12 --quota KZ-11=9 --tie-at-line none

With all that two persons decided in the portal:

  elumiti score 3 --decided --out report

Leave an attempt out; count what came after a dead line, as was decided:

  elumiti score 3 --exclude "5012:sat for another" \\
    --count-waiting "4711:no line in the village, act 17"

The same run from a download, without a database:

  elumiti score --from-snapshot report/snapshot --out again

In a notebook (columns are explained in codebook.csv):

  from pathlib import Path
  from scoring.run import compute
  from scoring.snapshot import from_files
  from scoring.structs import Parameters
  folder = Path("report/snapshot")
  files = {path.name: path.read_bytes() for path in folder.iterdir()}
  run = compute(from_files(files), Parameters())
  run.tables()["item_table"]
""",
    help_format="plaintext",
)


@app.default
def score(
    sitting: Annotated[int | None, Parameter(help="Number of the sitting, as the portal shows it.")] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the report and the downloads; made if absent.")] = None,
    language: Annotated[Language, Parameter(help="Language of the report: kk, ru or en.")] = "kk",
    names: Annotated[bool, Parameter(help="Put the children's names into ranking and quota list.")] = False,
    reader: Annotated[str, Parameter(help="For whom the export is made; stands in every file with --names.")] = "",
    purpose: Annotated[str, Parameter(help="What it is made for; stands in every file with --names.")] = "",
    late: Annotated[
        LatePolicy | None,
        Parameter(
            help="What late, undecided and after-finish answers do: count, person (wait for a decision) "
            "or refuse. Default: the sitting's own policy."
        ),
    ] = None,
    superseded: Annotated[
        SupersededPolicy,
        Parameter(help="fill: a replaced device counts for items that no later device answered. ignore: never."),
    ] = SupersededPolicy.FILL,
    exclude: Annotated[
        list[str] | None,
        Parameter(help="ATTEMPT:REASON; leave an attempt out of every figure. May be repeated.", negative=()),
    ] = None,
    count_waiting: Annotated[
        list[str] | None,
        Parameter(
            help="ATTEMPT:REASON; a person decided that its waiting answers count. May be repeated.",
            negative=(),
        ),
    ] = None,
    refuse_waiting: Annotated[
        list[str] | None,
        Parameter(help="ATTEMPT:REASON; a person decided that they don't. May be repeated.", negative=()),
    ] = None,
    quota: Annotated[
        list[str] | None,
        Parameter(help="REGION=PLACES, such as KZ-10=12; makes the quota list. May be repeated.", negative=()),
    ] = None,
    tie_at_line: Annotated[
        TieAtLine, Parameter(help="Pupils who share the place at the quota line: all are listed, or none.")
    ] = TieAtLine.ALL,
    equate: Annotated[
        list[str] | None,
        Parameter(
            help="FORM=SLOPE,INTERCEPT:SOURCE; brings another form's points to the main form's scale. May be repeated.",
            negative=(),
        ),
    ] = None,
    home_quota_agreed: Annotated[
        list[str] | None,
        Parameter(
            help="Name of a person who agrees to a quota list from a sitting at home; two are needed.",
            negative=(),
        ),
    ] = None,
    decided: Annotated[
        bool,
        Parameter(
            help="Take quota places, decisions, exclusions and corrections as two persons set them in the portal.",
            negative=(),
        ),
    ] = False,
    from_snapshot: Annotated[
        Path | None,
        Parameter(help="Compute from a downloaded snapshot folder; reads no database and records nothing."),
    ] = None,
) -> None:
    """Score a finished sitting, reproducibly, and take the report away."""
    if (sitting is None) == (from_snapshot is None):
        what = "Say which sitting to score, or which downloaded snapshot."
        raise PlainError(what, "For example `elumiti score 3 --out report`.")
    if names and not (reader and purpose):
        what = "A report with names must say for whom and for what it is made."
        raise PlainError(what, "Add --reader and --purpose, or leave --names out.")
    parameters = Parameters(
        late_policy=late,
        superseded=superseded,
        decisions=(
            *(Decision(attempt, count=True, reason=reason) for attempt, reason in map(_reasoned, count_waiting or [])),
            *(
                Decision(attempt, count=False, reason=reason)
                for attempt, reason in map(_reasoned, refuse_waiting or [])
            ),
        ),
        excluded=tuple(Exclusion(attempt, reason) for attempt, reason in map(_reasoned, exclude or [])),
        quota=dict(map(_places, quota or [])),
        tie_at_line=tie_at_line,
        equating=tuple(map(_equating, equate or [])),
        home_quota_agreed=tuple(home_quota_agreed or ()),
    )
    console = Console(stderr=True)
    with console.status("Reading the sitting and computing…"):
        if from_snapshot is not None:
            snapshot = from_files({path.name: path.read_bytes() for path in sorted(from_snapshot.iterdir())})
            run = compute(snapshot, parameters)
        else:
            snapshot, run = asyncio.run(_score_sitting(sitting or 0, parameters, decided=decided))
    if out is not None:
        with console.status("Writing the report…"):
            asyncio.run(_write(out, run, snapshot, language, names=names, reader=reader, purpose=purpose))
    _tell(Console(), run, snapshot, language, out)


async def _score_sitting(sitting: int, parameters: Parameters, *, decided: bool) -> tuple[Snapshot, Run]:
    adopt("scoring")
    settings = read(ScoringSettings)
    db = await asyncpg.connect(settings.database_url)
    try:
        async with score_store(settings) as store:
            if decided:
                parameters = await with_decided(db, sitting, parameters)
            now_ms = time.time_ns() // 1_000_000
            return await score_sitting(db, store, sitting, parameters, now_ms=now_ms, made_by=None)
    finally:
        await db.close()


async def _write(
    out: Path, run: Run, snapshot: Snapshot, language: Language, *, names: bool, reader: str, purpose: str
) -> None:
    store = FolderStore(out)
    made = report.files(run, snapshot, language, names=names, reader=reader, purpose=purpose)
    made["report.pdf"] = report_pdf.pdf_bytes(run, snapshot, language, names=names, reader=reader, purpose=purpose)
    for name, body in made.items():
        await store.put(name, body)
    await put_all(store, "run", run.files)
    await put_all(store, "snapshot", snapshot.files(names=names))
    record_of_run = {
        "sitting": run.sitting_id,
        "version": run.version,
        "snapshot_hash": run.snapshot_hash,
        "result_hash": run.result_hash,
        "code_version": run.code_version,
        "parameters": run.parameters,
        "summary": run.summary,
    }
    await store.put("run.json", msgspec.json.format(msgspec.json.encode(record_of_run), indent=2))


def _tell(console: Console, run: Run, snapshot: Snapshot, language: Language, out: Path | None) -> None:
    title = snapshot.facts.title.get(language, "")
    console.print(f"[bold]{title}[/bold]", highlight=False)
    for line in report.about(run, language):
        console.print(line, highlight=False, markup=False)
    for form in run.summary.forms:
        console.print(report_pdf.form_line(form, language), highlight=False, markup=False)
    if out is not None:
        console.print(str(out / "report.xlsx"), highlight=False, markup=False)


def _reasoned(text: str) -> tuple[int, str]:
    attempt, _, reason = text.partition(":")
    if not attempt.strip().isdecimal() or not reason.strip():
        what = f"«{text}» is not ATTEMPT:REASON."
        raise PlainError(what, "Write the attempt's number, a colon and the reason, such as 5012:sat for another.")
    return int(attempt), reason.strip()


def _places(text: str) -> tuple[str, int]:
    region, _, places = text.partition("=")
    if not region.strip() or not places.strip().isdecimal():
        what = f"«{text}» is not REGION=PLACES."
        raise PlainError(what, "Write the region's code and a number, such as KZ-10=12.")
    return region.strip(), int(places)


def _equating(text: str) -> Equating:
    left, _, source = text.partition(":")
    form, _, constants = left.partition("=")
    slope, _, intercept = constants.partition(",")
    try:
        return Equating(int(form), float(slope), float(intercept), source.strip())
    except ValueError as error:
        what = f"«{text}» is not FORM=SLOPE,INTERCEPT:SOURCE."
        raise PlainError(what, "Such as 12=1.04,-0.8:pilot of May, common items.") from error
