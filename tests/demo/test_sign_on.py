"""The demo's systems and provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from portal.demo.sign_on import SYSTEMS, insert_sign_on

if TYPE_CHECKING:
    from tests.support.loop import Loop


def test_they_join_and_nobody_knows_their_secrets(loop: Loop, owner_url: str) -> None:
    """Rows that the tables take; the provider is off, for it has no numbers of its own."""

    async def joined() -> tuple[int, list[bool]]:
        db = await asyncpg.connect(owner_url)
        turn = db.transaction()
        await turn.start()
        try:
            # What other tests of this database left under the same name.
            await db.execute("update signon_provider set code = code || '-before', issuer = issuer || '/before'")
            await insert_sign_on(db)
            known = await db.fetchval(
                "select count(distinct secret_hash) from oauth_client where client_id like 'demo-%'"
            )
            on = await db.fetch("select is_on from signon_provider where client_id = 'demo'")
            return known, [row["is_on"] for row in on]
        finally:
            await turn.rollback()
            await db.close()

    assert loop.run(joined()) == (len(SYSTEMS), [False])
