"""A sitting with many invented pupils, made in bulk for a benchmark on a stack of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from engine.codes import draw_code, hash_code
from infra.local import decode_key, environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.parts.supervisor import Stack

ITEMS = 30
DEMO_TEST = "MB-2026-A"
BORN = dt.date(2015, 3, 14)


class BenchScene(msgspec.Struct, frozen=True):
    """A published sitting: its number, its items' ids on the wire, its pupils' attempts and codes."""

    sitting: int
    items: list[int]
    seats: list[tuple[int, str]]
    # item → its options, the first of them the right one
    options: dict[int, list[int]] = {}


async def demo_scene(stack: Stack, pupils: int) -> BenchScene:
    """The same with the demo's own test, as `elumiti seed` writes and packs it."""
    words = [sys.executable, "-m", "infra", "seed-tables"]
    environ = {**os.environ, "ELUMITI_HOME": str(stack.home.folder)}
    (stack.home.folder / "ports.json").write_bytes(msgspec.json.encode(stack.home.ports))
    seed = subprocess.run(words, env=environ, capture_output=True, check=False)  # noqa: ASYNC221 (nothing else runs yet)
    if seed.returncode:
        raise RuntimeError(seed.stderr.decode())
    owner = stack.owner_url
    pack = {**os.environ, **environment(stack.home, "pack")}
    return await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), pupils, test_code=DEMO_TEST)


async def make_scene(
    owner_url: str,
    pack_environ: Mapping[str, str],
    pepper: bytes,
    pupils: int,
    test_code: str | None = None,
    *,
    starts_in_s: float = -60,
    duration_s: int = 4 * 3600,
    spread_s: int = 0,
    items: int = ITEMS,
) -> BenchScene:
    """Items, packed for real (or a test that is there); pupils with codes; T0 a minute ago if not said otherwise."""
    db = await asyncpg.connect(owner_url, command_timeout=600)
    try:
        # A name of its own: an installation may hold many.
        name = f"bench-{secrets.token_hex(4)}"
        school = await _school(db, name)
        if test_code is None:
            form, test = await _form(db, name, items)
        else:
            found = await db.fetchrow(
                "select f.id, f.test_id from form f join test t on t.id = f.test_id where t.code = $1", test_code
            )
            assert found is not None
            form, test = found["id"], found["test_id"]
        sitting = await db.fetchval(
            """
            insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, spread_s)
            values ($1, $2, $3, now() - interval '1 hour', $4::timestamptz, $4::timestamptz + interval '4 hours', $5, $6)
            returning id
            """,
            *(test, form, _three("bench"), dt.datetime.now(dt.UTC) + dt.timedelta(seconds=starts_in_s)),
            *(duration_s, spread_s),
        )
        await db.execute("select make_sitting_partition($1)", sitting)
        codes = [draw_code() for _ in range(pupils)]
        await db.copy_records_to_table(
            "participant",
            records=[
                (sitting, school, "Сәрсенов", "Айдар", BORN, 5, "kk", str(number), hash_code(code, pepper))
                for number, code in enumerate(codes)
            ],
            columns=(
                *("sitting_id", "school_id", "last_name", "first_name", "birth_date", "grade", "language"),
                *("external_id", "code_hash"),
            ),
        )
        if test_code is None:
            words = [sys.executable, "-m", "infra", "pack", str(form)]
            pack = subprocess.run(words, env=dict(pack_environ), capture_output=True, check=False)  # noqa: ASYNC221
            if pack.returncode:
                raise RuntimeError(pack.stderr.decode())
        await db.execute("update sitting set state = 'published', published_at = now() where id = $1", sitting)
        attempts = await db.fetch("select id, external_id::int as n from participant where sitting_id = $1", sitting)
        mapping = json.loads(await db.fetchval("select item_map from form_pack where form_id = $1", form))
        await db.execute("vacuum analyze participant")
    finally:
        await db.close()
    seats = [(row["id"], codes[row["n"]]) for row in attempts]
    options = {item["id"]: list(item["options"].values()) for item in mapping.values() if item.get("options")}
    return BenchScene(sitting, [item["id"] for item in mapping.values()], seats, options)


def _three(text: str) -> str:
    return json.dumps({"kk": text, "ru": text, "en": text})


async def _school(db: asyncpg.Connection[asyncpg.Record], name: str) -> int:
    await db.execute(
        "insert into region values ('KZ-10', 'Абай облысы', 'Абайская область', 'Abai') on conflict do nothing"
    )
    district = await db.fetchval(
        "insert into district (region_code, name_kk, name_ru, name_en) values ('KZ-10', $1, $1, $1) returning id",
        name,
    )
    return await db.fetchval(
        "insert into school (district_id, code, name_kk, name_ru, name_en) values ($1, $2, $2, $2, $2) returning id",
        *(district, name),
    )


async def _form(db: asyncpg.Connection[asyncpg.Record], name: str, items: int) -> tuple[int, int]:
    test = await db.fetchval("insert into test (code, title) values ($1, $2) returning id", name, _three("bench"))
    form = await db.fetchval("insert into form (test_id, name) values ($1, 'A') returning id", test)
    await db.execute("insert into form_section (form_id, number, title) values ($1, 1, $2)", form, _three("1"))
    for place in range(1, items + 1):
        options = [{"code": letter, "text": json.loads(_three(letter))} for letter in "ABCD"]
        content = {"kind": "single", "prompt": json.loads(_three(f"<p>{place}</p>")), "options": options}
        await db.execute(
            """
            insert into form_item (form_id, code, section, position, kind, content, topic, skill)
            values ($1, $2, 1, $3, 'single', $4, 'logic', 'order')
            """,
            *(form, f"M{place:03}", place, json.dumps(content)),
        )
    return form, test
