"""A picture of every page, to be looked at: `make screenshots`.

python -m tests.browser.screenshots [--portal URL --engine URL --home DIR] [--languages kk,ru] [--only player|portal|status]

Without addresses it starts a demo of its own in a folder that goes away; with them it uses one that runs (its sittings
list then shows three more). Phone 360×640, desktop 1440×900, three languages: build/screenshots/PART/LANG/NAME-SIZE.png,
and index.html to leaf through. A page of the portal's route table that is neither pictured nor left out below is an
error. What a machine can see, it tells: what hangs over the edge, touch targets too small for a thumb, and what axe finds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.screenshots.album import LANGUAGES, OUT, SIZES, say, write_index
from tests.browser.screenshots.demo import own_demo, prepare
from tests.browser.screenshots.player import player
from tests.browser.screenshots.portal import portal
from tests.browser.screenshots.status import status


def main() -> int:
    asked = argparse.ArgumentParser(description="A picture of every page.")
    asked.add_argument("--portal")
    asked.add_argument("--engine")
    asked.add_argument("--home", type=Path)
    asked.add_argument("--languages", default=",".join(LANGUAGES))
    asked.add_argument("--only", choices=("player", "portal", "status"))
    given = asked.parse_args()
    languages = given.languages.split(",")
    known = (given.portal, given.engine, given.home)
    if any(known) and not all(known):
        asked.error("--portal, --engine and --home go together")
    with contextlib.ExitStack() as held:
        running = known if all(known) else held.enter_context(own_demo())
        place = asyncio.run(prepare(*running, len(languages) * len(SIZES)))
        playwright = held.enter_context(sync_playwright())
        seen: list[str] = []
        for part in (player, portal, status):
            if given.only in {None, part.__name__}:
                seen += part(playwright, place, languages)
    write_index()
    (OUT / "seen.txt").write_text("".join(f"{line}\n" for line in seen))
    say(f"{len(list(OUT.rglob('*.png')))} pictures: {OUT}/index.html. What a machine saw ({len(seen)}): {OUT}/seen.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
