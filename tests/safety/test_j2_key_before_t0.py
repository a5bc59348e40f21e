"""SAFETY J2: before T0 the form key is nowhere, and neither is a room's code. Packed, published, waited for, looked for."""

from __future__ import annotations

import asyncio
import base64
import math
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import msgspec
import psutil
import pytest
from nacl.public import PrivateKey, SealedBox

from engine.bundles.cli import pack_and_store
from engine.bundles.manifest import Manifest
from engine.codes import show_code
from infra.local import decode_key, environment
from infra.parts import postgres
from infra.parts.supervisor import command_argv
from infra.settings import PackSettings, read
from tests.support.pupil import Pupil, Refused, Reply
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

STARTS_IN_S = 12
MAGIC = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"PK\x03\x04",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"RIFF",
    b"<svg",
    b"<?xml",
    b"{",
    b"%PDF",
)


def shapes(key: bytes) -> list[bytes]:
    """A key as anybody might have written it down."""
    text = [base64.b64encode(key), base64.urlsafe_b64encode(key)]
    return [key, key.hex().encode(), key.hex().upper().encode(), *text, *(each.rstrip(b"=") for each in text)]


def dump(stack: Stack) -> bytes:
    """The whole database as SQL; bytea columns are hex there, which is one of the shapes."""
    binaries, _, user = postgres._place(stack.home)
    url = environment(stack.home, "owner")["ELUMITI_OWNER_DATABASE_URL"]
    argv = [str(binaries / "pg_dump"), "--no-owner", f"--dbname={url}"]
    done = subprocess.run(argv, capture_output=True, check=True, user=user, cwd="/")
    assert b"form_key" in done.stdout
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            try:
                found[str(path)] = path.read_bytes()
            except FileNotFoundError:
                continue
    return found


def environs(stack: Stack) -> dict[str, bytes]:
    """Environment and arguments of every part and its children, granian's workers too."""
    found: dict[str, bytes] = {}
    roots = [part.pid for part in stack.parts.values() if part.pid]
    for root in roots:
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            for name in ("environ", "cmdline"):
                try:
                    found[f"/proc/{each.pid}/{name}"] = Path(f"/proc/{each.pid}/{name}").read_bytes()
                except (ProcessLookupError, PermissionError, FileNotFoundError):
                    assert os.geteuid() != 0 or not psutil.pid_exists(each.pid)
    assert len(found) > 2 * len(roots)
    return found


def everywhere(stack: Stack) -> dict[str, bytes]:
    """All that rests: dump, append-only file, object store, snapshots, logs, secrets; and the processes' settings."""
    home = stack.home
    at_rest = {"pg_dump": dump(stack)}
    for part in ("valkey", "objects", "engine", "log"):
        inside = files(home.part(part))
        assert inside, part
        at_rest |= inside
    at_rest |= {path.name: path.read_bytes() for path in home.folder.iterdir() if path.is_file()}
    return at_rest | environs(stack)


def entropy(body: bytes) -> float:
    """Bits a byte."""
    return -sum(n / len(body) * math.log2(n / len(body)) for n in Counter(body).values())


async def sealed_keys(stack: Stack, owner_url: str, scene: Scene) -> list[bytes]:
    """The form's keys in clear: only the release private key opens them, here as at T0 in the engine."""
    box = SealedBox(PrivateKey(decode_key(stack.secrets.release_private_key)))
    db = await asyncpg.connect(owner_url)
    rows = await db.fetch("select sealed from form_key where form_id = $1", scene.form)
    await db.close()
    keys = [box.decrypt(row["sealed"]) for row in rows]
    assert len(keys) == 4
    return keys


def found_in(places: dict[str, bytes], keys: list[bytes]) -> list[str]:
    """Where any of the keys lies in any shape."""
    return [name for name, body in places.items() for key in keys for shape in shapes(key) if shape in body]


async def room_codes(stack: Stack, owner_url: str, scene: Scene) -> list[bytes]:
    """Codes of the form's rooms in clear, plain and as they are read out."""
    box = SealedBox(PrivateKey(decode_key(stack.secrets.release_private_key)))
    db = await asyncpg.connect(owner_url)
    rows = await db.fetch("select sealed from room_code where form_id = $1 and room_id is not null", scene.form)
    await db.close()
    codes = [box.decrypt(row["sealed"]) for row in rows]
    assert [len(code) for code in codes] == [17]
    return [*codes, *(show_code(code.decode()).encode() for code in codes)]


def test_the_search_finds_what_is_there() -> None:
    key = bytes(range(200, 232))
    for shape in shapes(key):
        assert set(found_in({"place": b"x" + shape + b"y", "else": b""}, [key])) == {"place"}


@pytest.mark.slow
async def test_before_t0_the_key_is_nowhere_and_afterwards_not_in_a_log(
    stack: Stack, service: str, owner_url: str
) -> None:
    scene = await make_sitting(stack, owner_url, starts_in_s=STARTS_IN_S, last_entry_s=600, rooms=["3-кабинет"])
    await add_picture(stack, owner_url, scene)
    keys = await sealed_keys(stack, owner_url, scene)
    codes = await room_codes(stack, owner_url, scene)
    # The one process beside the engines that could open them, at work.
    release = await stack.start_process("room-codes", "release", command_argv("room-codes"))
    try:
        await look_before_and_after(stack, service, owner_url, scene, keys, codes)
    finally:
        stack.parts.pop("room-codes")
        await release.down()


async def look_before_and_after(
    stack: Stack, service: str, owner_url: str, scene: Scene, keys: list[bytes], codes: list[bytes]
) -> None:
    pupil = Pupil(service, scene.seats[0])
    await eventually(pupil.sign_in)
    signed_in = await repacked(pupil, owner_url, scene)
    encrypted = await bundle_files(service, signed_in["manifest"])
    assert len(encrypted) == 4, "three texts and a picture"
    for _ in range(20):
        with pytest.raises(Refused) as caught:
            await pupil.start()
        if caught.value.problem["code"] == "too-early":
            break
        await asyncio.sleep(0.2)
    assert caught.value.problem["code"] == "too-early"
    places = await asyncio.to_thread(everywhere, stack)
    assert pupil.now < str(signed_in["sitting"]["starts_ms"]), "looked before T0"
    with pytest.raises(Refused, match="too-early"):
        await pupil.start()
    assert found_in(places, keys + codes) == []

    for body in encrypted:
        assert not body.startswith(MAGIC)
        # As noisy as random bytes of this length are.
        assert abs(entropy(body) - entropy(os.urandom(len(body)))) < 0.25

    await eventually(pupil.start, STARTS_IN_S + 10, 0.2)
    assert sorted(decode_key(text) for text in pupil.keys["keys"].values()) == sorted(keys)
    await pupil.save_until_durable()
    await eventually(lambda: opened_codes(owner_url, scene))
    places = await asyncio.to_thread(everywhere, stack)
    assert found_in(places, keys) == [], "the engines alone hold it, in memory"
    # A code is for people from now on: in its own table, and in nothing else that rests.
    assert set(found_in(places, codes)) == {"pg_dump"}


async def opened_codes(owner_url: str, scene: Scene) -> None:
    """The release process has opened the form's one room."""
    db = await asyncpg.connect(owner_url)
    count = await db.fetchval("select count(*) from room_code_open where form_id = $1", scene.form)
    await db.close()
    assert count == 1


async def add_picture(stack: Stack, owner_url: str, scene: Scene) -> None:
    """A picture in the first item, and the form packed anew."""
    db = await asyncpg.connect(owner_url)
    await db.execute(
        "insert into form_media (form_id, name, content_type, bytes) values ($1, 'a.svg', 'image/svg+xml', $2)",
        *(scene.form, b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="3" height="3"/></svg>'),
    )
    await db.execute(
        """
        update form_item set content = jsonb_set(content, '{prompt,kk}', '"<p><img data-media=\\"a.svg\\" alt=\\"\\"></p>"')
        where form_id = $1 and code = 'M01'
        """,
        scene.form,
    )
    await db.close()
    await pack_and_store(read(PackSettings, environment(stack.home, "pack")), scene.form, rooms=1)


async def repacked(pupil: Pupil, owner_url: str, scene: Scene) -> Reply:
    """Sign in at a worker that has read the newest packing."""
    db = await asyncpg.connect(owner_url)
    newest = await db.fetchval("select manifest from form_pack where form_id = $1", scene.form)
    await db.close()

    async def current() -> Reply:
        reply = await pupil.sign_in()
        assert reply["manifest"] == newest
        return reply

    return await eventually(current)


async def bundle_files(service: str, manifest: str) -> list[bytes]:
    """What the waiting room prefetches."""
    async with httpx.AsyncClient(verify=False) as client:

        async def get(name: str) -> bytes:
            async def known() -> bytes:
                answer = await client.get(f"{service}/v1/bundles/{name}", headers={"connection": "close"})
                assert answer.status_code == 200
                return answer.content

            return await eventually(known)

        parts = msgspec.json.decode(await get(manifest), type=Manifest).files
        return [await get(part.name) for part in parts]
