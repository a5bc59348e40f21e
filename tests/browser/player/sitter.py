"""A pupil at a real browser: what a child does, as methods; what must never happen, as a list of faults."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.browser.shown import watch_pupil
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page, Playwright

    from tests.browser.player.peer import Pupil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 640}
NAMES = {"kk": "Қазақша", "ru": "Русский", "en": "English"}


def browser_path(*, whole: bool = False) -> str:
    """An installed Chromium or Chrome; without one the tests cannot say anything, so they fail.

    Best the one without a window of its own: the same pages for a ninth of a start's work. What its window asks a
    person (may the page use the camera?) wants the `whole` one.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    for name in names if whole else ("chromium-headless-shell", *names):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("no Chromium: apt install chromium")


class Sitter:
    """One browser profile on disk, so that it can be killed and opened again."""

    def __init__(
        self,
        playwright: Playwright,
        url: str,
        profile: Path,
        *,
        flags: list[str] | None = None,
        ours: tuple[str, ...] = (),
        whole: bool = False,
        **options: Any,
    ) -> None:
        self.browser = browser_path(whole=whole)
        self.playwright, self.url, self.profile = playwright, url, profile
        # Hosts beside the player's that are the house's own: the pictures' ingest.
        self.ours = ours
        self.flags, self.options = [*FLAGS, *(flags or [])], {"viewport": PHONE, "has_touch": True, **options}
        self.faults: list[str] = []
        self.open()

    def open(self) -> None:
        """Open the browser, as at first or again."""
        self.context: BrowserContext = self.playwright.chromium.launch_persistent_context(
            str(self.profile), executable_path=self.browser, args=self.flags, accept_downloads=True, **self.options
        )
        watch_pupil(self.context)
        self.page = self.watch(self.context.pages[0] if self.context.pages else self.context.new_page())
        self.page.goto(self.url, wait_until="commit")

    def watch(self, page: Page) -> Page:
        """A script error, a broken policy or a request to a foreign host is a fault of the page (SAFETY D6, J7)."""
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                self.faults.append(said.text)
                if "Content Security Policy" in said.text or "Trusted" in said.text
                else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                self.faults.append(asked.url)
                if not asked.url.startswith((self.url, "blob:", "data:", *self.ours))
                else None
            ),
        )
        return page

    def close(self) -> None:
        self.context.close()

    def reload(self) -> None:
        self.page.reload(wait_until="commit")

    # ---- what a child does

    def choose_language(self, language: str = "kk") -> None:
        self.page.get_by_role("button", name=NAMES[language]).click()
        self.page.locator("#code").wait_for()

    def type_slip(self, pupil: Pupil) -> None:
        self.page.locator("#code").fill("")
        self.page.locator("#code").press_sequentially(pupil.code.lower())
        selects = self.page.locator(".birth select")
        selects.nth(0).select_option(str(pupil.day))
        selects.nth(1).select_option(str(pupil.month))

    def sign_in(self, pupil: Pupil) -> None:
        self.type_slip(pupil)
        self.page.locator("button[type=submit]").click()

    def to_first_question(self, pupil: Pupil, language: str = "kk") -> None:
        self.choose_language(language)
        self.sign_in(pupil)
        self.page.locator(".findings").wait_for()
        self.page.locator(".big").click()
        self.page.locator("#start").click()
        self.page.locator("#question").wait_for()

    def go_to(self, number: int) -> None:
        """By the grid behind the counter."""
        self.page.locator(".counter").click()
        self.page.locator("dialog .grid button").nth(number - 1).click()
        self.page.locator("dialog").wait_for(state="detached")

    def number(self) -> int:
        return int((self.page.locator(".counter").inner_text()).split("/")[0])

    def choose(self, nth: int = 0) -> None:
        """The option at this place; true when it shows as chosen."""
        self.page.locator(".option").nth(nth).click()
        self.page.locator(".option.chosen").first.wait_for()

    def next(self) -> None:
        """Turn the page, and wait until it is turned."""
        before = self.page.locator("#question").inner_text()
        self.page.locator("#next").click()
        self.until("(before) => document.querySelector('#question')?.innerText !== before", before)

    def until(self, told: str, given: Any = None) -> None:
        """Wait for what the page tells. Asked from outside: the page's own policy lets nothing poll inside it (J7)."""
        until(lambda: bool(self.page.evaluate(told, given)), every_s=0.05)

    def kept(self) -> None:
        """Wait until the device has written all that was touched."""
        # What was touched just now shows with the next frame: before it the line still speaks of what was there before.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.locator(".saved[aria-busy=false]").wait_for()

    def answer_all(self) -> None:
        """Something to each question, then the review."""
        for _ in range(self.count()):
            self.answer()
            self.next()
        self.page.locator("#finish").wait_for()

    def answer(self) -> None:
        """Something to the question on the screen, whatever its kind."""
        page = self.page
        page.locator("#question").wait_for()
        if page.locator(".option.chosen").count():
            return
        if page.locator(".option").count():
            self.choose(1)
        elif page.locator("textarea").count():
            page.locator("textarea").fill("Туған жер")
        elif page.locator(".number input").count():
            page.locator(".number input").fill("17,6")
        else:
            for i in range(page.locator("select.gap").count()):
                page.locator("select.gap").nth(i).select_option(index=1)

    def count(self) -> int:
        return int((self.page.locator(".counter").inner_text()).split("/")[1])

    def finish(self) -> None:
        self.page.locator("#finish").click()
        self.page.locator("#finish-yes").click()

    def receipt(self) -> str:
        self.page.locator(".receipt").wait_for()
        return self.page.locator(".receipt .code").inner_text()

    def everything_stored(self) -> str:
        """All that this origin keeps on the device, as text."""
        return self.page.evaluate(DUMP)

    def pictures_stored(self) -> int:
        """How many pictures, events and counters of the camera lie on the device."""
        return self.page.evaluate(COUNT_PICTURES)


COUNT_PICTURES = """async () => {
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === "elumiti-pictures")) return 0;
  const db = await new Promise((ok) => { const r = indexedDB.open("elumiti-pictures"); r.onsuccess = () => ok(r.result); });
  let count = 0;
  for (const name of db.objectStoreNames) {
    count += await new Promise((ok) => { const r = db.transaction(name).objectStore(name).count(); r.onsuccess = () => ok(r.result); });
  }
  db.close();
  return count;
}"""

DUMP = """async () => {
  const out = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  const db = await new Promise((ok) => { const r = indexedDB.open("elumiti"); r.onsuccess = () => ok(r.result); });
  for (const name of db.objectStoreNames) {
    const rows = await new Promise((ok) => { const r = db.transaction(name).objectStore(name).getAll(); r.onsuccess = () => ok(r.result); });
    out.push(name + JSON.stringify(rows, (_k, v) => v instanceof Uint8Array ? new TextDecoder().decode(v) : v));
  }
  db.close();
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) if (!new URL(request.url).pathname.match(/^\\/(assets|$)/)) out.push(request.url);
  }
  return out.join("\\n");
}"""
