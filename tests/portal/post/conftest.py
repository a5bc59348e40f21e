"""Mail on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.mail import Post, mail_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House


@pytest.fixture
def post(house: House) -> Iterator[Post]:
    with mail_on(house) as running:
        yield running
