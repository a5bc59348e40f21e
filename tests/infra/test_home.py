"""The home folder: secrets are drawn once, for their owner alone, and a later release adds what it needs."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from infra.local import Home, load_secrets
from infra.parts.supervisor import Stack


def test_secrets_are_drawn_once_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "var")
    assert load_secrets(home) == load_secrets(home)
    assert stat.S_IMODE((home.folder / "secrets.json").stat().st_mode) == 0o600
    assert load_secrets(Home(tmp_path / "other")).token_keys != load_secrets(home).token_keys


def test_a_home_of_an_earlier_release_keeps_its_secrets_and_gets_the_new_ones(tmp_path: Path) -> None:
    home = Home(tmp_path)
    path = tmp_path / "secrets.json"
    load_secrets(home, demo=True)
    old = json.loads(path.read_text())
    del old["score_key"], old["lan"]
    path.write_text(json.dumps(old))
    # What it was drawn for is not changed by how it is started now.
    new = load_secrets(home, demo=False, lan=True)
    assert not new.lan
    kept = json.loads(path.read_text())
    assert kept["score_key"] == new.score_key
    assert {name: kept[name] for name in old} == old


def test_answers_scores_and_logs_are_for_the_owner_alone(tmp_path: Path) -> None:
    """Folders of an earlier release too, that everybody could read; Postgres' account still passes through the home."""
    folder = tmp_path / "var"
    (folder / "objects").mkdir(parents=True)
    (folder / "objects").chmod(0o755)
    folder.chmod(0o755)
    Stack(Home(folder))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_dir()}
    assert modes == dict.fromkeys(("objects", "valkey", "log", "engine", "pictures"), 0o700)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_running_installation_leaves_nothing_open(whole: Stack) -> None:
    """Whatever the parts made besides: another account can open no file of theirs."""
    open_to_all = [
        path.name
        for path in whole.home.folder.iterdir()
        if path.is_dir() and path.name != "postgres" and path.stat().st_mode & 0o077
    ]
    assert open_to_all == []
