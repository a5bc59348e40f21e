"""`elumiti pack`: pack a form into the bundle store and seal it."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec

from engine.bundles.clean import UncleanError
from engine.bundles.pack import Packed, SourceForm, SourceItem, pack, read_item
from infra.errors import PlainError
from infra.local import adopt, decode_key
from infra.objects import open_bucket
from infra.settings import PackSettings, read


def pack_form(form: int) -> None:
    """Pack form FORM: encrypt its items and pictures, store them, seal its keys. Packing again makes new keys.

    From then on the form's items open in the portal only by two persons. A form whose key may already have been
    released is refused: what pupils hold would no longer open.
    """
    adopt("pack")
    packed = asyncio.run(pack_and_store(read(PackSettings), form))
    size = sum(len(body) for body in packed.files.values())
    print(f"Form {form}: {len(packed.files)} files, {size // 1024} kB, manifest {packed.manifest[:12]}…")


async def pack_and_store(settings: PackSettings, form: int) -> Packed:
    """Read, pack, upload, and only then make it known."""
    db = await asyncpg.connect(settings.database_url)
    try:
        try:
            source = await read_form(db, form)
            packed = await asyncio.to_thread(pack, source, decode_key(settings.release_public_key))
        except UncleanError as error:
            raise PlainError(
                f"Form {form} cannot be packed. {error}", "Mend it and pack again; nothing was stored."
            ) from error
        async with open_bucket(settings.objects, settings.bundle_bucket) as bucket:
            await bucket.ensure()
            for name, body in packed.files.items():
                await bucket.put(name, body)
        async with db.transaction():
            await _make_known(db, form, packed)
    finally:
        await db.close()
    return packed


async def read_form(db: asyncpg.Connection[asyncpg.Record], form: int) -> SourceForm:
    """A form as authored, without its keys: this role cannot read them."""
    head = await db.fetchrow(
        """
        select t.languages, exists (
            select 1 from sitting s
            where (s.form_id = f.id or s.reserve_form_id = f.id) and s.state <> 'draft' and s.starts_at <= now()
        ) as burnt
        from form f
        join test t on t.id = f.test_id
        where f.id = $1
        """,
        form,
    )
    if head is None:
        raise PlainError(f"There is no form {form}.", "See the portal's list of tests for the numbers.")
    if head["burnt"]:
        what = f"Form {form} was used in a sitting that has started."
        raise PlainError(what, "Make another form; the packed one stays as it is.")
    sections = await db.fetch("select number, title from form_section where form_id = $1 order by number", form)
    items = await db.fetch(
        "select code, section, content from form_item where form_id = $1 order by section, position, code", form
    )
    media = await db.fetch("select name, content_type, bytes from form_media where form_id = $1 order by name", form)
    return SourceForm(
        id=form,
        languages=head["languages"],
        sections={row["number"]: msgspec.json.decode(row["title"], type=dict[str, str]) for row in sections},
        items=[
            SourceItem(code=row["code"], section=row["section"], content=read_item(row["code"], row["content"]))
            for row in items
        ],
        media={row["name"]: (row["content_type"], row["bytes"]) for row in media},
    )


async def _make_known(db: asyncpg.Connection[asyncpg.Record], form: int, packed: Packed) -> None:
    await db.execute(
        """
        insert into form_pack (form_id, manifest, item_map) values ($1, $2, $3)
        on conflict (form_id) do update set manifest = excluded.manifest, item_map = excluded.item_map, packed_at = now()
        """,
        *(form, packed.manifest, msgspec.json.encode(packed.item_map).decode()),
    )
    await db.execute("delete from form_key where form_id = $1", form)
    await db.executemany(
        "insert into form_key (form_id, section, language, sealed) values ($1, $2, $3, $4)",
        [(form, section, language, sealed) for (section, language), sealed in packed.sealed_keys.items()],
    )
    await db.execute("update form set state = 'sealed' where id = $1 and state = 'draft'", form)
