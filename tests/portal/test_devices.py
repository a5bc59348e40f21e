"""A device by a name that a person knows it by."""

from __future__ import annotations

import pytest

from portal.core.ui.devices import device

SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 8.1.0; SM-J260F) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/14.0 Chrome/87.0 Mobile Safari/537.36"
)
CHROME = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (SAMSUNG, "Samsung SM-J260F, Samsung Internet 14, Android 8"),
        (CHROME, "Chrome Mobile 124, Android 10"),
        ("loadtest", "loadtest"),
        ("x" * 200, "x" * 70),
        ("", "—"),
        (None, "—"),
    ],
)
def test_a_device_is_told_in_words(agent: str | None, words: str) -> None:
    assert device(agent) == words


def test_the_list_of_sessions_says_which_device(house, place) -> None:  # noqa: ANN001 (the fixtures' own types)
    del place
    visitor = house.visitor()
    login = house.person("super-admin")
    house.sql("update staff set demo = true where login = $1", login)
    sent = visitor.post("/sign-in", {"login": login, "password": "steppe and sky"}, headers={"user-agent": SAMSUNG})
    assert sent.status_code == 303
    assert "Samsung SM-J260F, Samsung Internet 14, Android 8" in visitor.get("/account").text
