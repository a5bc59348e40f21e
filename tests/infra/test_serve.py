"""`elumiti serve`: as a container or a service starts each of our web processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.parts.supervisor import command_argv
from infra.parts.unused import unused_ports

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


@pytest.mark.parametrize(
    ("process", "settings", "folder"),
    [
        ("engine", "engine", "ELUMITI_SNAPSHOT_DIR"),
        ("portal", "portal", ""),
        ("pictures", "proctoring", "ELUMITI_SPOOL_DIR"),
    ],
)
async def test_each_web_process_is_served_and_stays_the_one_that_was_started(
    stack: Stack, tmp_path: Path, process: str, settings: str, folder: str
) -> None:
    """Whoever supervises it speaks to granian itself: no shell or Python stands between."""
    (port,) = unused_ports(1)
    stack.overrides["served"] = {folder: str(tmp_path / "own")} if folder else {}
    try:
        part = await stack.start_process("served", settings, command_argv("serve", process, "--port", str(port)), port)
        words = Path(f"/proc/{part.pid}/cmdline").read_bytes().split(b"\0")
        assert b"granian" in words
        assert str(port).encode() in words
    finally:
        await stack.parts.pop("served").down()
        del stack.overrides["served"]
