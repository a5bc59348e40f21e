"""Where pictures go, what a machine sees on them, and the page to leaf through."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT = Path("build/screenshots")
SIZES = {"phone": {"width": 360, "height": 640}, "desktop": {"width": 1440, "height": 900}}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LANGUAGES = ("kk", "ru", "en")
SEEN = """() => {
  const width = document.documentElement.clientWidth;
  const name = (one) => (one.textContent.trim() || one.getAttribute('aria-label') || one.name || one.tagName).replace(/\\s+/g, ' ').slice(0, 40);
  const shown = (one) => one.checkVisibility?.() && one.getBoundingClientRect().width > 1;
  const scrolls = (one) => {
    for (let up = one.parentElement; up; up = up.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(up).overflowX)) return true;
    return false;
  };
  const over = [...document.querySelectorAll('body *')].filter((one) => shown(one) && one.getBoundingClientRect().right > width + 1 && !scrolls(one));
  const small = [...document.querySelectorAll('button, a.button, select, summary, input:not([type=hidden])')]
    .filter((one) => shown(one) && one.getBoundingClientRect().height < 39 && !/checkbox|radio/.test(one.type ?? ''));
  return [...over.slice(0, 2).map((one) => 'over the edge: ' + name(one)), ...(width < 500 ? small.slice(0, 3).map((one) => 'small: ' + name(one)) : [])];
}"""


class Album:
    """Where pictures go, and what was seen on them."""

    def __init__(self, part: str, language: str, size: str) -> None:
        self.part, self.language, self.size = part, language, size
        self.folder = OUT / part / language
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seen: list[str] = []

    def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        """One picture; `whole` with what lies below the screen's edge."""
        axe = Axe().run(page, options=RULES)
        faults = [f"axe: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in axe.response["violations"]]
        for fault in (*page.evaluate(SEEN), *faults):
            self.seen.append(f"{self.part}/{self.language}/{name}-{self.size}: {fault}")
        if whole:
            # What sticks to the edges stands where a person sees it first.
            page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=self.folder / f"{name}-{self.size}.png", full_page=whole, animations="disabled")


def write_index() -> None:
    """One page with all pictures, by part, name and size, the languages side by side."""
    rows: list[str] = []
    for part in ("player", "portal", "status"):
        names = sorted({path.name for path in (OUT / part).glob("*/*.png")})
        rows.append(f"<h1>{part}</h1>")
        for name in names:
            pictures = "".join(
                f'<a href="{path}"><img loading="lazy" src="{path}" alt="{language}"></a>'
                for language in LANGUAGES
                if (OUT / (path := f"{part}/{language}/{name}")).exists()
            )
            rows.append(f"<h2>{html.escape(name.removesuffix('.png'))}</h2><div>{pictures}</div>")
    style = "body{font:16px sans-serif;margin:2rem}div{display:flex;gap:1rem;align-items:start}img{max-width:30vw;border:1px solid #ccc}"
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>El Úmiti: every page</title><style>{style}</style>{"".join(rows)}</html>'
    (OUT / "index.html").write_text(text)


def say(line: str) -> None:
    print(line, flush=True)
