"""Providers to sign in at."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from portal.core.accounts.sealing import seal
from tests.support.lying_issuer import CLIENT_SECRET, LyingIssuer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House
    from tests.support.loop import Loop

numbers = itertools.count(1)


class At(LyingIssuer):
    """An issuer that the house knows as a provider."""

    code = ""
    provider_id = 0


def known(house: House, issuer: str, **more: object) -> tuple[str, int]:
    """A row of a provider that is on; its code and number."""
    code = str(more.pop("code", f"provider-{next(numbers)}"))
    columns = {
        "code": code,
        "name_kk": f"Сайт {code}",
        "name_ru": f"Сайт {code}",
        "name_en": f"Site {code}",
        "issuer": issuer,
        "client_id": "elumiti",
        "client_secret": seal(house.settings, CLIENT_SECRET),
        "scopes": "openid email profile",
        "is_on": True,
        **more,
    }
    holes = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    row = house.sql(
        f"insert into signon_provider ({', '.join(columns)}) values ({holes}) returning id",
        *columns.values(),
    )
    return code, row[0]["id"]


@pytest.fixture
def make_issuer(house: House, loop: Loop) -> Iterator[object]:
    """Make providers of this test's own."""
    made: list[At] = []

    def make(**more: object) -> At:
        issuer = At(loop)
        issuer.code, issuer.provider_id = known(house, issuer.issuer, **more)
        made.append(issuer)
        return issuer

    yield make
    for issuer in made:
        issuer.stop()
        # Another test may draw the same port.
        house.sql(
            "update signon_provider set is_on = false, issuer = issuer || '/over-' || id where id = $1",
            issuer.provider_id,
        )


@pytest.fixture
def at(make_issuer) -> At:  # noqa: ANN001 (its use shows it)
    """One provider."""
    return make_issuer()
