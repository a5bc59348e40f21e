"""The record: whole, or it shows where it is not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.local import database_url
from portal.core.audit.heads import publish_head

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House
    from tests.support.loop import Loop


def test_a_row_changed_by_the_databases_owner_shows(house: House) -> None:
    """The check says the number; put back, the record is whole again."""
    for _ in range(4):
        house.visitor(house.person("proctor"))
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


def test_a_chain_computed_anew_shows_against_the_published_head(house: House) -> None:
    """The database's owner can make a chain that holds in itself; not one that fits what was published before."""
    house.visitor(house.person("proctor"))
    boss = house.worker("super-admin")

    async def publish() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            await publish_head(db, house.settings.objects, dt.datetime(2026, 1, 1, 5, tzinfo=dt.UTC))

    house.loop.run(publish())
    assert "The record is whole" in boss.post("/audit/check?lang=en").text
    number = house.sql("select max(id) from audit")[0]["max"]
    before = house.sql("select id, previous_hash, hash from audit order by id")
    head = house.sql("select hash from audit_head")[0]["hash"]
    published = house.sql("select id, hash from audit order by id")[-2]["id"]
    # A forged history: every row's fingerprint computed anew from a changed first row on.
    house.sql("create table forged as select * from audit")
    try:
        house.sql("update audit set reason = 'forged' where id = (select min(id) from audit)")
        house.sql(REHASH)
        text = boss.post("/audit/check?lang=en").text
        assert "changed at number" in text
        assert published <= number
    finally:
        house.sql(
            "update audit a set reason = f.reason, previous_hash = f.previous_hash, hash = f.hash from forged f where f.id = a.id"
        )
        house.sql("delete from audit where id > $1", number)
        house.sql("update audit_head set hash = $1, last_id = $2", head, number)
        house.sql("drop table forged")
        assert before


REHASH = """
do $$
declare r record; link bytea := decode(repeat('00', 32), 'hex');
begin
    for r in select * from audit order by id loop
        update audit set previous_hash = link, hash = sha256(link || convert_to(jsonb_build_array(
            id, extract(epoch from at), staff_id, acting_as, address, act, object_kind, object_id, before, after, reason
        )::text, 'UTF8')) where id = r.id returning hash into link;
    end loop;
    update audit_head set hash = link, last_id = (select max(id) from audit);
end $$
"""
