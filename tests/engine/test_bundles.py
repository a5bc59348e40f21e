"""Bundles: served for ever by the hash of their bytes, opened again from the manifest and the keys alone."""

from __future__ import annotations

import gzip
import hashlib
import uuid
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from engine.bundles.cli import pack_and_store
from engine.bundles.manifest import Manifest
from engine.bundles.pack import AuthoredGap, AuthoredOption, open_file
from engine.bundles.store import BundleStore
from infra.errors import PlainError
from infra.local import decode_key, environment
from infra.objects import open_bucket
from infra.settings import PackSettings, read
from tests.support.forms import form, item, opened, packed, two
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>'


async def get(service: str, name: str, method: str = "GET", **headers: str) -> httpx.Response:
    """One request for a file, as soon as the worker that hears it has read the new sitting."""
    wire = {key.replace("_", "-"): value.encode() for key, value in headers.items()}

    async def known() -> httpx.Response:
        async with httpx.AsyncClient(verify=False) as client:
            answer = await client.request(method, f"{service}/v1/bundles/{name}", headers=wire)  # type: ignore[arg-type]
        assert answer.status_code != 404
        return answer

    return await eventually(known)


@pytest.fixture
async def manifest(begin: Begin) -> str:
    """The name of a live bundle's manifest."""
    _, pupil = await begin(key=False)
    return (await eventually(pupil.sign_in))["manifest"]


async def test_every_file_is_the_hash_of_its_bytes_and_kept_for_ever(service: str, manifest: str) -> None:
    whole = await get(service, manifest)
    files = msgspec.json.decode(whole.content, type=Manifest).files
    assert {(file.kind, file.language) for file in files} == {("text", "kk"), ("text", "ru"), ("text", "en")}
    for name in (manifest, *(file.name for file in files)):
        answer = await get(service, name)
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["etag"] == f'"{name}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert {file.size for file in files} == {len((await get(service, file.name)).content) for file in files}


async def test_who_has_a_file_does_not_load_it_again(service: str, manifest: str) -> None:
    for tag in (f'"{manifest}"', f'W/"{manifest}"', f'"{"0" * 64}", "{manifest}"'):
        answer = await get(service, manifest, if_none_match=tag)
        assert (answer.status_code, answer.content) == (304, b"")
    assert (await get(service, manifest, if_none_match=f'"{"0" * 64}"')).status_code == 200


async def test_a_broken_download_goes_on_where_it_stopped(service: str, manifest: str) -> None:
    body = (await get(service, manifest)).content
    size = len(body)
    for wanted, first, last in (
        ("bytes=0-9", 0, 9),
        (f"bytes={size - 5}-", size - 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
        (f"bytes=3-{size * 2}", 3, size - 1),
    ):
        answer = await get(service, manifest, range=wanted)
        assert answer.status_code == 206, wanted
        assert answer.content == body[first : last + 1], wanted
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=9-3",
        "bytes=-",
        "bytes=-0",
        "bytes=0-1,5-6",
        "bytes=99999999-",
        "lines=0-1",
        "x",
        "bytes=" + "9" * 5000 + "-",
    ],
)
async def test_a_range_that_is_none_is_416(service: str, manifest: str, wanted: str) -> None:
    answer = await get(service, manifest, range=wanted)
    assert (answer.status_code, answer.json()["code"]) == (416, "range-invalid")


async def test_head_tells_the_size_and_sends_nothing(service: str, manifest: str) -> None:
    body = (await get(service, manifest, accept_encoding="identity")).content
    answer = await get(service, manifest, "HEAD", accept_encoding="identity")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(body))


async def test_the_manifest_travels_compressed_to_who_takes_it(service: str, manifest: str) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        address = f"{service}/v1/bundles/{manifest}"
        async with client.stream("GET", address, headers={"accept-encoding": "gzip"}) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "accept-encoding"
        assert hashlib.sha256(gzip.decompress(raw)).hexdigest() == manifest
        plain = await client.get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_a_player_opens_the_bundle_with_the_keys_of_t0(begin: Begin, service: str) -> None:
    """The whole way of a stranger's client: manifest, files, keys, texts in each language."""
    scene, pupil = await begin()
    name = (await eventually(pupil.sign_in))["manifest"]
    for file in msgspec.json.decode((await get(service, name)).content, type=Manifest).files:
        body = (await get(service, file.name)).content
        key = decode_key(pupil.keys["keys"][f"{file.section}/{file.language}"])
        text = msgspec.json.decode(open_file(key, file.id, body))
        assert {each["id"] for each in text["items"]} == set(scene.items.values())
        assert text["items"][0]["prompt"].startswith(f"{file.language} <p>question")


def test_what_was_authored_is_what_is_read() -> None:
    """Every kind of item, its pictures and its groups, through encryption and back, the same ids in each language."""
    options = [AuthoredOption(code=letter, text=two(f"{letter} < 3")) for letter in "ABCD"]
    drawn = [AuthoredOption(code=letter, picture=f"{letter}.svg", alt=two(f"Picture {letter}")) for letter in "AB"]
    gap = AuthoredGap(code="g1", options=[AuthoredOption(code=letter, text=two(letter)) for letter in "AB"])
    source = form(
        [
            item("single", options=options, stimulus=two("<p>Story</p>"), stimulus_id="s"),
            item("multiple", kind="multiple", options=options, stimulus=two("<p>Story</p>"), stimulus_id="s"),
            item("picture", '<p><img data-media="A.svg" alt="seen"></p>', drawn, kind="picture"),
            item("dropdown", '<p><span data-gap="g1"></span></p>', kind="dropdown", gaps=[gap]),
            item("numeric", kind="numeric", unit=two("км")),
            item("order", options=options, fixed_order=True),
        ],
        {f"{letter}.svg": ("image/svg+xml", SVG) for letter in "AB"},
    )
    bundle = packed(source)
    seen = opened(bundle)
    for language in source.languages:
        items = dict(zip((each.code for each in source.items), seen.texts[1, language].items, strict=True))
        for code, mapped in bundle.item_map.items():
            assert items[code].id == mapped.id
        texts = {option.id: option.text for option in items["single"].options or []}
        assert texts == {bundle.item_map["single"].options[letter]: f"{letter} &lt; 3" for letter in "ABCD"}
        assert items["single"].group == items["multiple"].group is not None
        assert [option.text for option in items["order"].options or []] == [f"{letter} &lt; 3" for letter in "ABCD"]
        shown = {option.picture for option in items["picture"].options or []}
        assert shown == set(seen.media)
        assert any(f'data-media="{media}"' in items["picture"].prompt for media in shown)
        assert [option.alt for option in sorted(items["picture"].options or [], key=lambda each: each.alt or "")] == [
            "Picture A",
            "Picture B",
        ]
        assert items["numeric"].unit == "км"
        assert items["dropdown"].gaps is not None
    assert {kind for kind, _ in seen.media.values()} == {"image/svg+xml"}


def test_a_file_opens_under_its_own_name_and_key_only() -> None:
    bundle = packed(form([item("M1")]))
    again = packed(form([item("M1")]))
    assert not set(bundle.files) & set(again.files), "each packing has keys, ids and nonces of its own"
    with pytest.raises(InvalidTag):
        opened(msgspec.structs.replace(bundle, sealed_keys=again.sealed_keys))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"prompt": two('<p><img data-media="gone.svg"></p>')}, "gone.svg"),
        ({"options": [{"code": "A", "picture": "gone.svg"}]}, "gone.svg"),
        ({"prompt": {"kk": "<p>?</p>"}}, "ru"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": two('<p><img data-media="bad.svg"></p>')}, "bad.svg"),
    ],
)
async def test_a_form_that_cannot_be_packed_says_which_item_in_one_line(
    stack: Stack, owner_url: str, db: asyncpg.Connection[asyncpg.Record], content: dict[str, object], says: str
) -> None:
    scene = await make_sitting(stack, owner_url, starts_in_s=3600)
    known = {"kind": "single", "prompt": {"kk": "?", "ru": "?", "en": "?"}, "options": []} | content
    await db.execute(
        "update form_item set content = $2 where form_id = $1 and code = 'M03'",
        *(scene.form, msgspec.json.encode(known).decode()),
    )
    await db.execute(
        "insert into form_media (form_id, name, content_type, bytes) values ($1, 'bad.svg', 'image/svg+xml', '<html/>')",
        scene.form,
    )
    before = await db.fetchval("select manifest from form_pack where form_id = $1", scene.form)
    with pytest.raises(PlainError) as caught:
        await pack_and_store(read(PackSettings, environment(stack.home, "pack")), scene.form)
    told = str(caught.value)
    assert "\n" not in told
    assert "M03" in told
    assert says in told
    assert await db.fetchval("select manifest from form_pack where form_id = $1", scene.form) == before


async def test_what_the_store_lacks_is_asked_for_ever_later_and_had_when_it_is_there(
    stack: Stack, manifest: str, tmp_path: Path
) -> None:
    """A form that is published before it is packed: no request with each refresh, and no child waits long for it."""
    settings = read(PackSettings, environment(stack.home, "pack"))
    async with open_bucket(settings.objects, settings.bundle_bucket) as bucket:
        names = await bucket.keys()
        bodies = {name: await bucket.get(name) for name in names}
    pack = msgspec.json.decode(bodies[manifest] or b"", type=Manifest)
    later = BundleStore(settings.objects, f"later-{uuid.uuid4().hex[:8]}", tmp_path)
    await later.hold({manifest}, set())
    assert later.missing == {manifest}
    async with open_bucket(settings.objects, later.bucket) as bucket:
        await bucket.ensure()
        for name in (manifest, *(file.name for file in pack.files)):
            await bucket.put(name, bodies[name] or b"")
    await later.hold({manifest}, set())
    assert later.missing == {manifest}, "not so soon"

    async def held() -> None:
        await later.hold({manifest}, set())
        assert not later.missing

    await eventually(held)
    assert {file.name for file in pack.files} <= later.files.keys()
