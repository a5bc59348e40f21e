"""Who may read the figures: nobody from outside, whatever he writes into his request."""

from __future__ import annotations

import pytest

from infra.callers import caller, may_measure

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


def test_the_last_hop_counts_and_only_from_a_proxy_that_we_know() -> None:
    assert caller("10.0.0.1", "1.1.1.1, 203.0.113.7", PROXY) == "203.0.113.7"
    assert caller("203.0.113.9", "1.1.1.1", PROXY) == "203.0.113.9"


def test_a_network_names_all_its_addresses() -> None:
    pods = ["10.128.0.0/14"]
    assert caller("10.130.7.9", "203.0.113.7", pods) == "203.0.113.7"
    assert caller("10.132.0.1", "203.0.113.7", pods) == "10.132.0.1"
    assert may_measure("10.130.7.9", None, [], pods)
    assert not may_measure("10.130.7.9", None, [], ["10.130.7.9/nonsense"])
