"""The demo's page shows logins: it answers an address, and no name that a stranger's page may own (DNS rebinding)."""

from __future__ import annotations

import pytest

from portal.features.help.routes import by_address


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.0.0.2"])
def test_by_an_address_of_this_machine(host: str) -> None:
    assert by_address(host)


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "local"])
def test_not_by_a_name(host: str) -> None:
    assert not by_address(host)
