"""The built pages of player and portal: without them their servers answer, and nobody sees anything."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = {
    "player": ROOT / "engine" / "player" / "dist" / "index.html",
    "portal": ROOT / "portal" / "core" / "ui" / "static" / "dist",
}
REMEDY = "Run `make pages`."


def unbuilt() -> list[str]:
    """Whose pages are not there."""
    return [name for name, path in PAGES.items() if not path.exists()]
