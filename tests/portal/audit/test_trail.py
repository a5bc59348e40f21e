"""The record: whole, or it shows where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.local import database_url

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House
    from tests.support.loop import Loop


def test_a_row_changed_by_the_databases_owner_shows(house: House) -> None:
    """The check says the number; put back, the record is whole again."""
    boss = house.worker("super-admin")
    assert "fingerprints do not fit" not in boss.post("/audit/check?lang=en").text
    row = house.sql("select id, reason from audit order by id desc limit 1 offset 3")[0]
    house.sql("update audit set reason = 'changed' where id = $1", row["id"])
    text = boss.post("/audit/check?lang=en").text
    assert f"changed at number {row['id']}" in text
    house.sql("update audit set reason = $2 where id = $1", row["id"], row["reason"])
    assert "The record is whole" in boss.post("/audit/check?lang=en").text


def test_it_is_searched_and_taken_away(house: House) -> None:
    """By act and by person; the file has the fingerprints."""
    login = house.person("proctor")
    house.visitor(login)
    boss = house.worker("super-admin")
    text = boss.get(f"/audit?act=account.session.began&q={login}").text
    assert f"Адам {login}" in text
    assert boss.get("/audit/export/xlsx").content.startswith(b"PK")
    assert boss.get("/audit/export/csv").content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    "statement",
    [
        "update response_event set value = '1'",
        "delete from response_event",
        "update audit set reason = ''",
        "delete from audit",
        "select * from keys.item_key",
        "update control set body = '{}'",
        "delete from control",
        "update score_run set result_hash = ''",
        "select sealed from form_key",
        "delete from seal",
    ],
)
def test_the_portals_role_can_do_none_of_this(stack: Stack, loop: Loop, house: House, statement: str) -> None:
    """SAFETY J5, J6: tried as the portal's own database role."""
    url = database_url(stack.home, "elumiti_portal", stack.secrets.role_passwords["elumiti_portal"])

    async def attempt() -> None:
        db = await asyncpg.connect(url)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(statement)
        finally:
            await db.close()

    assert house
    loop.run(attempt())
