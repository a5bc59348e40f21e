"""The demo's teacher: twelve own pupils, documents and photos that can be shown, half a year of KPI, reviews."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import asyncpg
from PIL import Image

from infra.local import environment
from infra.objects import open_bucket
from infra.settings import PortalSettings, read
from portal.core.accounts import create_staff
from portal.core.files.stored import BUCKET
from portal.core.iin import keys_of
from portal.demo import tables
from portal.demo.cards import OWN_PUPILS, insert_cards
from portal.demo.people import draw_people
from portal.demo.registry import insert_registry

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop


def test_the_demo_s_teacher_is_whole(stack: Stack, loop: Loop, owner_url: str) -> None:
    """Written and looked at in one transaction that is taken back."""
    settings = read(PortalSettings, environment(stack.home, "portal"))

    async def run() -> dict[str, int]:
        db = await asyncpg.connect(owner_url)
        going = db.transaction()
        await going.start()
        try:
            people = draw_people()
            await insert_registry(db, people, await tables.insert_territory(db, people), keys_of(settings))
            staff = {
                name: await create_staff(db, login=f"demo-cards-{name}", full_name=name, password="-" * 12)
                for name in ("admin", "teacher", "specialist")
            }
            await insert_cards(db, settings.objects, staff)
            return {
                name: await db.fetchval(sql, staff["teacher"])
                for name, sql in {
                    "ties": "select count(*) from person_tie t join staff s on s.person_id = t.holder_id where s.id = $1",
                    "rows": "select count(*) from kpi_entry e join staff s on s.person_id = e.person_id where s.id = $1",
                    "reviews": "select count(*) from review r join staff s on s.person_id = r.about_id where s.id = $1",
                    "documents": "select count(*) from person_document d where d.added_by = $1",
                    "photos": "select count(*) from person where photo_key like 'photo/demo-%' and $1 > 0",
                }.items()
            }
        finally:
            await going.rollback()
            await db.close()

    async def drawn() -> list[bytes | None]:
        async with open_bucket(settings.objects, BUCKET) as bucket:
            return [await bucket.get(key) for key in ("document/demo-0", "photo/demo-0-480")]

    made = loop.run(run(), 120)
    assert made == {"ties": OWN_PUPILS, "rows": 40, "reviews": 8, "documents": 3, "photos": OWN_PUPILS + 1}
    sizes = [Image.open(io.BytesIO(body)).size for body in loop.run(drawn()) if body]
    assert sizes == [(1240, 877), (480, 480)]
