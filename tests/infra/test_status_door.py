"""The status page's server says that it lives, as every service does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_the_status_page_says_that_it_lives(whole: Stack, path: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{whole.home.ports.status}{path}", verify=False, timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok")
