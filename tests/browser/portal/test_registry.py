"""The registry in a real browser: a person added on a phone, found in another alphabet, put into a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.portal.test_first_rooms import enter

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_person_is_added_found_and_joins_a_project(
    loop: Loop, browser: Browser, served: str, *, script: bool
) -> None:
    """Districts and schools follow the region; the list follows the typing; all of it works without script too."""

    async def story() -> None:
        context, page = await enter(browser, served, "admin", phone=True, script=script)
        name = "Күнсұлу" if script else "Ақмарал"
        await page.goto(f"{served}/persons/new")
        await page.fill("#f-last_name", "Бұлақбаева")
        await page.fill("#f-first_name", name)
        await page.fill("#f-birth_date", "14.03.2015")
        await page.select_option("#f-region", "KZ-B")
        if not script:
            async with page.expect_navigation():
                await page.click('button[name="reload"]')
            assert await page.input_value("#f-first_name") == name, "what was typed stays"
        await page.select_option("#f-school", label="№1 мектеп")
        async with page.expect_navigation():
            await page.click("form.form button.primary")
        await expect(page.locator("h1")).to_have_text(f"Бұлақбаева {name}")
        await page.goto(f"{served}/persons")
        asked = "bulaqb kuns" if script else "булакб акм"
        await page.fill("#f-q", asked)
        if script:
            # The list that follows the typing has the typing in its own address.
            await expect(page.locator('input[name="back"]')).to_have_value(re.compile("q=bulaqb"))
        else:
            async with page.expect_navigation():
                await page.click(".filters button.tight")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.check('tbody input[name="ids"]')
        await page.click("details.bulk summary")
        await page.select_option('select[name="part"]', "qabilet:test-taker")
        async with page.expect_navigation():
            await page.click('button[name="do"][value="project"]')
        await expect(page.locator(".notice.leaf")).to_be_visible()
        await expect(page.locator("tbody tr")).to_contain_text("Қабілет")
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        await context.close()

    loop.run(story(), 90)
