"""`elumiti score` as an analyst meets it, without a database."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.errors import PlainError
from scoring.cli import app
from scoring.snapshot import from_files


@pytest.fixture(name="download")
def downloaded(sitting: SimpleNamespace, tmp_path: Path) -> Path:
    """A snapshot's folder."""
    folder = tmp_path / "snapshot"
    folder.mkdir()
    for name, body in sitting.snapshot().files(names=True).items():
        (folder / name).write_bytes(body)
    return folder


def call(*words: str) -> None:
    app(list(words), result_action="return_value", exit_on_error=False)


def test_help_is_enough_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    """Examples, the notebook, and every option with its sentence."""
    call("--help")
    shown = capsys.readouterr().out
    for needed in (
        "elumiti score 3 --out report",
        "In a notebook",
        "--quota",
        "--count-waiting",
        "--tie-at-line",
    ):
        assert needed in shown


def test_a_report_from_a_download(download: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder gets everything; the same call again writes the same bytes."""
    out, again = tmp_path / "one", tmp_path / "two"
    for folder in (out, again):
        call("--from-snapshot", str(download), "--out", str(folder), "--language", "ru", "--quota", "KZ-10=2")
    assert "4 получили балл" in " ".join(capsys.readouterr().out.split())
    made = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert {Path("report.xlsx"), Path("report.pdf"), Path("codebook.csv"), Path("run.json")} <= made.keys()
    assert made == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    taken = {path.name: path.read_bytes() for path in (out / "snapshot").iterdir()}
    assert from_files(taken).tables["persons"].is_empty()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which sitting"),
        (["--names"], "for whom"),
        (["--quota", "KZ-10"], "REGION=PLACES"),
        (["--exclude", "5"], "ATTEMPT:REASON"),
        (["--exclude", "99:cheat"], "99"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_remedy(download: Path, words: list[str], said: str) -> None:
    """No traceback for a slip of the pen."""
    with pytest.raises(PlainError, match=said):
        call(*words, *(["--from-snapshot", str(download)] if words else []))
