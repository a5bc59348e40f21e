"""`elumiti pack`: pack a form into the bundle store and seal it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from engine.bundles.clean import UncleanError
from engine.bundles.pack import Packed, SourceForm, SourceItem, pack, read_item
from infra.errors import PlainError
from infra.local import adopt, decode_key
from infra.objects import open_bucket
from infra.settings import PackSettings, read

if TYPE_CHECKING:
    from collections.abc import Callable


SPARE_SHARE, LEAST_SPARE = 10, 5
MOST_ROOMS = 20_000
# A core makes about ten codes a second: who waits sees how far it is.
TELL_EVERY = 100


def pack_form(form: int, *, rooms: int | None = None) -> None:
    """Pack form FORM: encrypt its items and pictures, store them, seal its keys. Packing again makes new keys.

    From then on the form's items open in the portal only by two persons. A form whose key may already have been
    released is refused: what pupils hold would no longer open.

    Each room gets a code that opens the form when the start service is down. Codes are made with the form and die
    with its keys: pack again after the list of rooms is in. They exist in clear from T0 on and never on paper: a
    room that needs paper needs a form of its own (docs/decisions/0041).

    Parameters
    ----------
    form
        Number of the form, as the portal's list of tests shows it.
    rooms
        How many room codes. Unless said: the rooms of the sittings that use the form, a tenth more, at least five
        spare; none where there is no room.
    """
    adopt("pack")
    if rooms is not None and not 0 <= rooms <= MOST_ROOMS:
        raise PlainError(f"--rooms {rooms} is not possible.", f"Give a number from 0 to {MOST_ROOMS}.")
    began = time.monotonic()
    packed = asyncio.run(pack_and_store(read(PackSettings), form, rooms=rooms, tell=_tell))
    size = sum(len(body) for body in packed.files.values())
    print(f"Form {form}: {len(packed.files)} files, {size // 1024} kB, manifest {packed.manifest[:12]}…")
    if packed.rooms:
        print(f"{len(packed.rooms)} room codes, sealed until T0; {time.monotonic() - began:.0f} s in all.")


def _tell(done: int, of: int) -> None:
    if done == of or done % TELL_EVERY == 0:
        print(f"  room codes: {done} of {of}", flush=True)


def codes_for(rooms: int) -> int:
    """Codes to make for so many rooms: rooms are added after packing, and closed codes are replaced."""
    return rooms + max(LEAST_SPARE, -(-rooms // SPARE_SHARE)) if rooms else 0


async def pack_and_store(
    settings: PackSettings,
    form: int,
    *,
    rooms: int | None = None,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> Packed:
    """Read, pack, upload, and only then make it known."""
    db = await asyncpg.connect(settings.database_url)
    try:
        try:
            source = await read_form(db, form)
            count = codes_for(await _count_rooms(db, form)) if rooms is None else rooms
            key = decode_key(settings.release_public_key)
            packed = await asyncio.to_thread(pack, source, key, count, lambda done: tell(done, count))
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


async def _count_rooms(db: asyncpg.Connection[asyncpg.Record], form: int) -> int:
    """Rooms of all sittings that use the form, as theirs or in reserve."""
    return await db.fetchval(
        "select count(*) from room r join sitting s on s.id = r.sitting_id where $1 in (s.form_id, s.reserve_form_id)",
        form,
    )


async def _make_known(db: asyncpg.Connection[asyncpg.Record], form: int, packed: Packed) -> None:
    await db.execute(
        """
        insert into form_pack (form_id, manifest, item_map, room_blobs) values ($1, $2, $3, $4)
        on conflict (form_id) do update
        set manifest = excluded.manifest, item_map = excluded.item_map, room_blobs = excluded.room_blobs, packed_at = now()
        """,
        *(form, packed.manifest, msgspec.json.encode(packed.item_map).decode(), packed.room_blobs),
    )
    await db.execute("delete from form_key where form_id = $1", form)
    await db.executemany(
        "insert into form_key (form_id, section, language, sealed) values ($1, $2, $3, $4)",
        [(form, section, language, sealed) for (section, language), sealed in packed.sealed_keys.items()],
    )
    # Codes of an earlier packing open nothing any more: their blobs hold dead keys.
    await db.execute("delete from room_code where form_id = $1", form)
    await db.copy_records_to_table(
        "room_code",
        records=[(form, number, sealed, blob) for number, (sealed, blob) in packed.rooms.items()],
        columns=["form_id", "number", "sealed", "blob"],
    )
    await db.fetchval("select give_room_codes($1)", form)
    await db.execute("update form set state = 'sealed' where id = $1 and state = 'draft'", form)
