"""What the public sees of the platform's state."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from infra.local import Ports
from tests.browser.player.sitter import FLAGS, browser_path
from tests.browser.screenshots.album import SIZES, Album, say

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.browser.screenshots.demo import Place

PAGES = {"kk": "", "ru": "ru.html", "en": "en.html"}


def status(playwright: Playwright, place: Place, languages: list[str]) -> list[str]:
    """The status page, on both sizes, in each language."""
    seen: list[str] = []
    port = msgspec.json.decode((place.home / "ports.json").read_bytes(), type=Ports).status
    with contextlib.closing(playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)) as browser:
        for language in languages:
            for size in SIZES:
                say(f"status, {language}, {size} …")
                album = Album("status", language, size)
                with contextlib.closing(browser.new_context(viewport=SIZES[size])) as context:  # type: ignore[arg-type]
                    page = context.new_page()
                    page.goto(f"http://127.0.0.1:{port}/{PAGES[language]}")
                    album.take(page, "status")
                seen += album.seen
    return seen
