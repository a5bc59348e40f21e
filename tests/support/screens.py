"""Phone and desktop: `make test` shows a page on the one that it is mostly used on, `make wide-test` on the other."""

from __future__ import annotations

import pytest

IDS = ["phone", "desktop"]
phone_first = pytest.mark.parametrize("phone", [True, pytest.param(False, marks=pytest.mark.wide)], ids=IDS)
desktop_first = pytest.mark.parametrize("phone", [pytest.param(True, marks=pytest.mark.wide), False], ids=IDS)
