"""Who may read the figures: nobody from outside, whatever he writes into his request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.callers import caller, may_measure, place_of
from infra.local import environment
from infra.settings import EngineSettings, SettingsError, read

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

HERE = ["127.0.0.1", "::1"]
PROXY = ["10.0.0.1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "allowed"),
    [
        ("127.0.0.1", None, [], True),
        ("[::1]", None, [], True),
        ("::ffff:127.0.0.1", None, [], True),
        ("203.0.113.7", None, [], False),
        ("203.0.113.7", "127.0.0.1", [], False),
        ("203.0.113.7", "127.0.0.1", PROXY, False),
        ("10.0.0.1", "203.0.113.7", PROXY, False),
        ("10.0.0.1", "127.0.0.1, 203.0.113.7", PROXY, False),
        ("10.0.0.1", "203.0.113.7, 127.0.0.1", PROXY, True),
        ("10.0.0.1", None, PROXY, False),
        # A proxy on this machine that nobody named.
        ("127.0.0.1", "203.0.113.7", [], False),
        ("127.0.0.1", "127.0.0.1", [], False),
        ("", None, [], False),
    ],
)
def test_the_figures_are_for_the_addresses_of_the_setting(
    peer: str, forwarded: str | None, trusted: list[str], allowed: bool
) -> None:
    assert may_measure(peer, forwarded, trusted, HERE) is allowed


NETS = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("10.3.4.5", "203.0.113.7", "203.0.113.7"),
        ("[fd12::1]", "203.0.113.7", "203.0.113.7"),
        ("::ffff:10.3.4.5", "2001:db8::5", "2001:db8::5"),
        ("192.0.2.7", "203.0.113.7", "203.0.113.7"),
        ("192.0.2.8", "203.0.113.7", "192.0.2.8"),
        # Two proxies of ours in a row; what stands before the first of them, the caller wrote.
        ("10.3.4.5", "9.9.9.9, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("10.3.4.5", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.3.4.5", "nonsense", "nonsense"),
        ("nonsense", "203.0.113.7", "nonsense"),
    ],
)
def test_networks_are_trusted_as_addresses_are(peer: str, forwarded: str, whose: str) -> None:
    assert caller(peer, forwarded, NETS) == whose


def test_the_figures_are_for_a_network_too() -> None:
    assert may_measure("10.3.4.5", None, [], ["10.0.0.0/8"])
    assert may_measure("[fd12::9]", None, [], ["fd00::/8"])
    assert not may_measure("11.3.4.5", None, [], ["10.0.0.0/8"])


def test_a_subscriber_of_ipv6_is_one_place() -> None:
    """Else one line has 2⁶⁴ addresses to guess from."""
    assert place_of("2001:db8:1:2:3::4") == place_of("2001:db8:1:2:9::9") != place_of("2001:db8:1:3::4")
    assert place_of("::ffff:203.0.113.7") == place_of("203.0.113.7")


@pytest.mark.parametrize("name", ["trusted_proxies", "metrics_from"])
def test_a_network_that_is_none_stops_the_start_with_its_name(stack: Stack, name: str) -> None:
    given = environment(stack.home, "engine")
    with pytest.raises(SettingsError, match=f"ELUMITI_{name.upper()}.*10.0.0.1/8 has host bits set"):
        read(EngineSettings, given | {f"ELUMITI_{name.upper()}": '["10.0.0.1/8"]'})
    assert read(EngineSettings, given | {f"ELUMITI_{name.upper()}": '["10.0.0.0/8", "::1"]'})


def test_the_last_hop_counts_and_only_from_a_proxy_that_we_know() -> None:
    assert caller("10.0.0.1", "1.1.1.1, 203.0.113.7", PROXY) == "203.0.113.7"
    assert caller("203.0.113.9", "1.1.1.1", PROXY) == "203.0.113.9"


def test_a_network_names_all_its_addresses() -> None:
    pods = ["10.128.0.0/14"]
    assert caller("10.130.7.9", "203.0.113.7", pods) == "203.0.113.7"
    assert caller("10.132.0.1", "203.0.113.7", pods) == "10.132.0.1"
    assert may_measure("10.130.7.9", None, [], pods)
