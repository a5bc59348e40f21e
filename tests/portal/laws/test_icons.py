"""Every icon that a page names is in the sprite: a name that is not there draws nothing, and no error tells."""

from __future__ import annotations

import re
from pathlib import Path

import portal
from portal.core.ui.occupations import INDUSTRIES, PROFESSIONS

ROOT = Path(portal.__file__).parent
SPRITE = set((ROOT / "islands" / "icons.txt").read_text().split())
IN_A_PAGE = re.compile(r'(?:ui\.)?icon\("([a-z0-9-]+)"|data-icon="([a-z0-9-]+)"')
IN_A_NOTICE = re.compile(r'ui\.notice\([^{}]*?"(?:sky|leaf|sun|clay)", "([a-z0-9-]+)"\)')
IN_CODE = re.compile(r'(?:icon=|Entry\("[^"]+", N_\("[^"]+"\), )"([a-z0-9-]+)"')


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    named: set[str] = set()
    for file in ROOT.rglob("*.html"):
        text = file.read_text()
        named |= {one for pair in IN_A_PAGE.findall(text) for one in pair if one} | set(IN_A_NOTICE.findall(text))
    for file in ROOT.rglob("*.py"):
        named |= set(IN_CODE.findall(file.read_text()))
    assert len(named) > 40
    assert named - SPRITE == set()


def test_each_profession_and_industry_has_an_icon_of_its_own_and_three_names() -> None:
    """No two share one, and each is drawn."""
    every = (*INDUSTRIES, *PROFESSIONS)
    assert len({one.icon for one in every}) == len(every)
    assert len({one.code for one in every}) == len(every)
    assert {one.icon for one in every} == set((ROOT / "islands" / "occupations.txt").read_text().split())
    assert {one.industry for one in PROFESSIONS} <= {one.code for one in INDUSTRIES}
    assert all(one.kk and one.ru and one.en for one in every)
