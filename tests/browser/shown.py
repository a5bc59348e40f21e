"""What stood on the open pages when a test failed: a machine without a screen tells it in its report."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from playwright.async_api import Browser
    from playwright.sync_api import BrowserContext

    from tests.support.loop import Loop

MOST = 1_500
_pupils: WeakSet[BrowserContext] = WeakSet()
_desks: list[tuple[Browser, Loop]] = []


def watch_pupil(context: BrowserContext) -> None:
    """A pupil's browser profile, from its opening on."""
    _pupils.add(context)


def watch_desk(browser: Browser, loop: Loop) -> None:
    """The browser of staff, in the loop of the run."""
    _desks[:] = [(browser, loop)]


def shown() -> str:
    """Address and text of each page that is still open."""
    found: list[str] = []
    for context in list(_pupils):
        with contextlib.suppress(Exception):
            found += [_words(page.url, page.locator("body").inner_text(timeout=1_000)) for page in context.pages]
    for browser, loop in _desks:
        with contextlib.suppress(Exception):
            found += loop.run(_at_desk(browser), 10)
    return "\n".join(found)


async def _at_desk(browser: Browser) -> list[str]:
    pages = [page for context in browser.contexts for page in context.pages]
    return [_words(page.url, await page.locator("main, body").first.inner_text(timeout=1_000)) for page in pages]


def _words(url: str, text: str) -> str:
    return f"{url}\n{text[:MOST]}\n"
