"""One driver for all tests at a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.shown import shown

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Playwright


# It runs an event loop in the main thread, so it must be gone before the asynchronous tests of other folders begin.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright, one for the folder: a second one in the same thread cannot start."""
    with sync_playwright() as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says what stood on the pages."""
    report = yield
    if call.when == "call" and report.failed and item:
        report.sections.append(("what stood on the pages", shown()))
    return report
