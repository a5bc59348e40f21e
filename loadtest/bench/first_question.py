"""How long a child on an old phone and a thin line waits for the first question, and how heavy the page before it is.

`player_first_question_ms`: empty cache, code typed, nothing of the form on the device, from the tap on start to the
question's last pixel. `player_first_question_prefetched_ms`: the same when the form came ahead. `player_gzip_bytes`:
script and style that are loaded before the form. Against the real engine with the demo's real test.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

import engine
from loadtest.bench.figures import Figure, write
from loadtest.bench.phone import CPU_SLOWED, Phone, phone
from loadtest.bench.stack import fresh_stack, serve
from loadtest.scene import demo_scene

if TYPE_CHECKING:
    from playwright.async_api import Playwright

ROUNDS = 5
DIST = Path(engine.__file__).parent / "player" / "dist"
LINE = "400 kbit/s, 150 ms"
CHECKED = """() => new Promise((done) => {
  const look = () => document.querySelector('.findings') ? done(performance.timeOrigin + performance.now()) : requestAnimationFrame(look);
  look();
})"""
# What is not prefetched is held back until the tap: the form's files start on their way with the button.
HELD_BACK = """() => {
  const real = window.fetch;
  const tapped = new Promise((go) => document.addEventListener(
    'click', (event) => { if (event.target.closest('#start')) go(); }, true));
  window.fetch = async (path, init) => { if (String(path).includes('/v1/bundles/')) await tapped; return real(path, init); };
}"""


async def measure(rounds: int = ROUNDS) -> None:
    """Each round two pupils on empty browsers: one starts at once, one after the whole form has come."""
    write(gzip_figure())
    async with fresh_stack() as stack, async_playwright() as playwright:
        scene = await demo_scene(stack, pupils=2 * rounds)
        await serve(stack)
        url = f"http://127.0.0.1:{stack.home.ports.engine}"
        codes = [code for _, code in scene.seats]
        at_once: list[float] = []
        later: list[float] = []
        factors: list[float] = []
        for here in range(rounds):
            for times, code, prefetched in ((at_once, codes[2 * here], False), (later, codes[2 * here + 1], True)):
                took_ms, factor = await _start(playwright, url, code, prefetched=prefetched)
                times.append(took_ms)
                factors.append(factor)
                print(f"round {here + 1}: {'prefetched' if prefetched else 'at once'} {took_ms:.0f} ms", flush=True)
    slowed = f"{LINE}, processor slowed {median(factors):.1f} times (asked {CPU_SLOWED})"
    for metric, times, what in (
        ("player_first_question_ms", at_once, "empty cache, code typed, bundle not prefetched"),
        ("player_first_question_prefetched_ms", later, "the bundle came ahead"),
    ):
        spread = f"median of {rounds}, {min(times):.0f} to {max(times):.0f}"
        basis = f"{what}; from the tap on start to the question's last pixel; {spread}; {slowed}; the demo's real test"
        write(Figure(metric=metric, value=round(median(times)), unit="ms", basis=basis))


async def _start(playwright: Playwright, url: str, code: str, *, prefetched: bool) -> tuple[float, float]:
    async with phone(playwright) as child:
        await child.type_slip(url, code, 14, 3)
        if not prefetched:
            await child.page.evaluate(HELD_BACK)
        await _sign_in(child)
        await child.page.locator(".big").click()
        if prefetched:
            await child.page.locator(".good").wait_for()
        await child.page.locator("#start").wait_for()
        return await child.tap("#start"), child.cpu_factor


async def _sign_in(child: Phone) -> None:
    await child.tap("button[type=submit]", CHECKED)


def gzip_figure() -> Figure:
    """What the start page itself names, and the texts of one language (the longest)."""
    page = (DIST / "index.html").read_text()
    named = [path for path in DIST.glob("assets/index-*") if path.name in page]
    texts = max(packed(path) for language in ("kk", "ru", "en") for path in DIST.glob(f"assets/{language}-*.js"))
    size = sum(packed(path) for path in named) + texts + packed(DIST / "old.js")
    basis = "script and style of the start page and the texts of the longest language, gzip -9; the rest comes after the first question"
    return Figure(metric="player_gzip_bytes", value=size, unit="bytes", basis=basis)


def packed(path: Path) -> int:
    """Bytes after gzip -9."""
    return len(gzip.compress(path.read_bytes(), 9))
