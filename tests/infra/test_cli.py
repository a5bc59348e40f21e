"""`elumiti` where not all is installed: a server's image has no tools for rehearsals, and says so in a line."""

from __future__ import annotations

import subprocess
import sys

# As in the image: what an extra alone brings is not there.
WITHOUT = """
import sys
absent = sys.argv[1].split(",")
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from infra.cli import main
sys.argv = ["elumiti", *sys.argv[2:]]
main()
"""


def elumiti(without: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a Python that lacks these packages."""
    asked = [sys.executable, "-c", WITHOUT, without, *words]
    return subprocess.run(asked, capture_output=True, text=True, check=False)


def test_its_help_names_every_command_and_what_is_not_installed() -> None:
    said = elumiti("psutil,matplotlib", "--help")
    assert said.returncode == 0, said.stderr
    assert "serve" in said.stdout
    assert "it comes with the extra loadtest" in " ".join(said.stdout.replace("│", "").split())


def test_a_command_that_is_not_installed_says_what_would_bring_it() -> None:
    said = elumiti("psutil", "loadtest", "--candidates", "5")
    assert said.returncode == 1
    assert said.stderr == (
        "elumiti: `elumiti loadtest` needs psutil, which is not installed here. "
        "Install elumiti with its extra `loadtest`.\n"
    )


def test_what_every_installation_must_have_is_no_matter_of_an_extra() -> None:
    said = elumiti("asyncpg", "migrate")
    assert said.returncode == 1
    assert "No module named 'asyncpg'" in said.stderr
