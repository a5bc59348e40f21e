"""An old phone on a thin line, played by a real browser: 400 kbit/s each way, 150 ms of latency, a processor slowed.

What «slowed four times» really is on this machine is measured in the same run, by a loop of fixed work before and after.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import TYPE_CHECKING

from infra.errors import PlainError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from playwright.async_api import BrowserContext, CDPSession, Page, Playwright

LINE_BYTES_A_S = 400_000 / 8
LATENCY_MS = 150
CPU_SLOWED = 4
SCREEN = {"width": 360, "height": 640}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WORK = """() => {
  const at = performance.now();
  let x = 1;
  for (let i = 1; i < 4e7; i++) x = (x * 31 + i) | 0;
  return [performance.now() - at, x];
}"""
# The question's last pixel: all pictures of the article are drawn, and two frames have passed.
SHOWN = """() => new Promise((done) => {
  const drawn = (image) => image.complete && image.naturalWidth > 0 && image.src;
  const look = () => {
    const article = document.querySelector('article.question');
    if (!article || ![...article.querySelectorAll('img')].every(drawn)) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.timeOrigin + performance.now())));
  };
  look();
})"""
TAPPED = """(target) => document.querySelector(target).addEventListener(
  'click', () => { window.tappedAt = performance.timeOrigin + performance.now(); }, { once: true, capture: true })"""


def browser_path() -> str:
    """An installed browser."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    raise PlainError("There is no Chromium on this machine.", "As root: apt-get install chromium")


class Phone:
    """One browser with an empty profile."""

    def __init__(self, context: BrowserContext, page: Page, session: CDPSession) -> None:
        self.context, self.page, self.session = context, page, session
        self.cpu_factor = 1.0

    async def slow_down(self) -> None:
        """Thin line and slow processor; keeps the factor that the processor really has."""
        quick = min([(await self.page.evaluate(WORK))[0] for _ in range(3)])
        await self.session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWED})
        slow = min([(await self.page.evaluate(WORK))[0] for _ in range(3)])
        self.cpu_factor = slow / quick
        await self.session.send("Network.enable")
        line = {"offline": False, "latency": LATENCY_MS}
        speeds = {"downloadThroughput": LINE_BYTES_A_S, "uploadThroughput": LINE_BYTES_A_S}
        await self.session.send("Network.emulateNetworkConditions", {**line, **speeds})

    async def type_slip(self, url: str, code: str, day: int, month: int) -> None:
        """From the address to a filled sign-in form, in Kazakh."""
        page = self.page
        await page.goto(url, wait_until="commit")
        await page.get_by_role("button", name="Қазақша").click()
        await page.locator("#code").fill(code)
        await page.locator(".birth select").nth(0).select_option(str(day))
        await page.locator(".birth select").nth(1).select_option(str(month))

    async def tap(self, target: str, shown: str = SHOWN) -> float:
        """Tap, and the milliseconds until what `shown` waits for."""
        await self.page.evaluate(TAPPED, target)
        await self.page.locator(target).click()
        at_ms: float = await self.page.evaluate(shown)
        return at_ms - await self.page.evaluate("window.tappedAt")


@contextlib.asynccontextmanager
async def phone(playwright: Playwright, flags: Sequence[str] = ()) -> AsyncIterator[Phone]:
    """A phone that nobody has used."""
    with tempfile.TemporaryDirectory(prefix="elumiti-phone-", ignore_cleanup_errors=True) as profile:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browser_path(),
            args=[*FLAGS, *flags],
            viewport={"width": SCREEN["width"], "height": SCREEN["height"]},
            has_touch=True,
        )
        page = context.pages[0]
        page.set_default_timeout(120_000)
        made = Phone(context, page, await context.new_cdp_session(page))
        await made.slow_down()
        try:
            yield made
        finally:
            await context.close()
