# ruff: noqa: E501 (sentences, markup and scripts stay in one piece)
"""How long a child on an old phone and a thin line waits for the first question, and how heavy the page is before it.

    .venv/bin/python -m tests.browser.player.first_question [ADDRESS CODE DAY MONTH]

Without an address the peer of the tests serves the form; with one, any engine whose sitting is open for that code.
Chromium through the DevTools protocol: 400 kbit/s each way, 150 ms of latency, CPU slowed four times. What «four times»
really is on this machine is measured in the same run, by a loop of fixed work before and after, and told beside the figures.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.browser.player.peer import DIST, Peer, Pupil
from tests.browser.player.sitter import FLAGS, PHONE, browser_path

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page, Playwright

LINE_BYTES_A_S = 400_000 / 8
LATENCY_MS = 150
CPU_SLOWED = 4
WORK = "() => { const at = performance.now(); let x = 1; for (let i = 1; i < 4e7; i++) x = (x * 31 + i) | 0; return [performance.now() - at, x]; }"
# The question's last pixel: all pictures of the article are drawn, and two frames have passed.
SHOWN = """() => new Promise((done) => {
  const look = () => {
    const article = document.querySelector('article.question');
    const whole = article && [...article.querySelectorAll('img')].every((image) => image.complete && image.naturalWidth > 0 && image.src);
    if (!whole) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.timeOrigin + performance.now())));
  };
  look();
})"""


@dataclass(frozen=True)
class FirstQuestion:
    """Milliseconds, bytes, and how slow the slowed processor really was."""

    first_question_ms: float
    """Empty cache, code typed, nothing of the form on the device: from the tap on start to the last pixel."""
    first_question_prefetched_ms: float
    sign_in_to_check_ms: float
    page_ms: float
    """From the address to the first page that can be touched, empty cache."""
    gzip_bytes: int
    """Script and style that are loaded before the bundle, gzip -9."""
    cpu_factor: float


def gzip_bytes() -> int:
    """What the start page itself names, and the texts of one language (the longest)."""
    page = (DIST / "index.html").read_text()
    named = [path for path in DIST.glob("assets/index-*") if path.name in page]
    texts = max(
        (packed(path) for language in ("kk", "ru", "en") for path in DIST.glob(f"assets/{language}-*.js")), default=0
    )
    return sum(packed(path) for path in named) + texts + packed(DIST / "old.js")


def packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def measure(url: str, first: Pupil, second: Pupil) -> FirstQuestion:
    """Two pupils, each on an empty browser: one starts at once, one after the whole form has come."""
    with sync_playwright() as playwright:
        at_once = _sit(playwright, url, first, prefetched=False)
        later = _sit(playwright, url, second, prefetched=True)
    return FirstQuestion(
        first_question_ms=at_once["start_ms"],
        first_question_prefetched_ms=later["start_ms"],
        sign_in_to_check_ms=at_once["sign_in_ms"],
        page_ms=at_once["page_ms"],
        gzip_bytes=gzip_bytes(),
        cpu_factor=at_once["cpu_factor"],
    )


def _sit(playwright: Playwright, url: str, pupil: Pupil, *, prefetched: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browser_path(),
            args=FLAGS,
            viewport={"width": PHONE["width"], "height": PHONE["height"]},
            has_touch=True,
        )
        page = context.pages[0]
        page.set_default_timeout(120_000)
        session = context.new_cdp_session(page)
        factor = _slow_down(page, session)
        before = page.evaluate("performance.timeOrigin + performance.now()")
        page.goto(url, wait_until="commit")
        page.get_by_role("button", name="Қазақша").wait_for()
        page_ms = page.evaluate("performance.timeOrigin + performance.now()") - before
        page.get_by_role("button", name="Қазақша").click()
        page.locator("#code").fill(pupil.code)
        page.locator(".birth select").nth(0).select_option(str(pupil.day))
        page.locator(".birth select").nth(1).select_option(str(pupil.month))
        # What is not prefetched is held back until the tap: the form's files start their way with the button.
        if not prefetched:
            page.evaluate(HELD_BACK)
        sign_in_ms = _tap(
            page,
            "button[type=submit]",
            "() => new Promise((done) => { const look = () => document.querySelector('.findings') ? done(performance.timeOrigin + performance.now()) : requestAnimationFrame(look); look(); })",
        )
        page.locator(".big").click()
        if prefetched:
            page.locator(".good").wait_for()
        page.locator("#start").wait_for()
        start_ms = _tap(page, "#start", SHOWN)
        context.close()
        return {"start_ms": start_ms, "sign_in_ms": sign_in_ms, "page_ms": page_ms, "cpu_factor": factor}


HELD_BACK = """() => {
  const real = window.fetch;
  const tapped = new Promise((go) => document.addEventListener('click', (event) => { if (event.target.closest('#start')) go(); }, true));
  window.fetch = async (path, init) => { if (String(path).includes('/v1/bundles/')) await tapped; return real(path, init); };
}"""


def _tap(page: Page, target: str, shown: str) -> float:
    page.evaluate(
        "(target) => document.querySelector(target).addEventListener('click', () => { window.tappedAt = performance.timeOrigin + performance.now(); }, { once: true, capture: true })",
        target,
    )
    page.locator(target).click()
    return page.evaluate(shown) - page.evaluate("window.tappedAt")


def _slow_down(page: Page, session: CDPSession) -> float:
    """Thin line and slow processor; gives the factor that the processor really has."""
    quick = min(page.evaluate(WORK)[0] for _ in range(3))
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWED})
    slow = min(page.evaluate(WORK)[0] for _ in range(3))
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": LINE_BYTES_A_S,
            "uploadThroughput": LINE_BYTES_A_S,
        },
    )
    return slow / quick


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure, print, return."""
    if arguments:
        url, code, day, month = arguments
        pupil = Pupil(0, code, "", int(day), int(month))
        figures = measure(url, pupil, pupil)
    else:
        with Peer() as peer:
            figures = measure(peer.url, *peer.pupils)
    print(json.dumps(asdict(figures), indent=1))
    return asdict(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
