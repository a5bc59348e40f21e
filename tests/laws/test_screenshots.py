"""`make screenshots` shows every page; it is found out here that one was forgotten, not when somebody wants to look."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from portal.demo.seed import Demo
from tests.browser.player.peer import Pupil
from tests.browser.screenshots.demo import Place
from tests.browser.screenshots.portal import pages_of, require_all_routes


def test_every_page_of_the_portal_has_a_picture() -> None:
    nobody = Pupil(0, "", "", 1, 1)
    demo = Demo(logins=[], slips=[], open_sitting=1, played_sitting=1)
    require_all_routes(pages_of(Place("", "", Path(), demo, nobody, [], defaultdict(lambda: 1)), 1))
