"""`.ci/install.py`: what stops an installation is said in one line with the remedy, beneath the tools' own words."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / ".ci" / "install.py"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("error: command 'gcc' failed: No such file or directory", "apt-get install build-essential python3."),
        ("fatal error: Python.h: No such file or directory", "apt-get install build-essential python3."),
        ("error: linker `cc` not found", "apt-get install build-essential python3."),
        ("error: failed to write: No space left on device (os error 28)", "Make room: 2500 MB"),
        ("cause: dns error\n  cause: failed to lookup address information", "Check the network"),
        ("error: something that nobody foresaw", "run the same again"),
    ],
)
def test_a_failed_installation_names_its_remedy(words: str, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("install", PATH)
    assert spec
    assert spec.loader
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)
    assert install._explain(words) == 1
    said = capsys.readouterr().err
    assert said.startswith("elumiti: ")
    assert remedy in said
    assert said.count("\n") == 1
