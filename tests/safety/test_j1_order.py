"""SAFETY J1: no byte that a candidate can fetch tells a key, and no order does.

Chance has to be allowed for: each figure is judged at p > 0.001, and a figure that fails is drawn once more from a
fresh packing. An honest packer then fails one run in about 10⁵ (ten figures); one that favours a place by a tenth
fails nearly always, for over 1 000 items that alone is p < 10⁻⁶.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from engine import protocol
from engine.bundles import manifest
from engine.bundles.cli import pack_and_store
from engine.bundles.pack import AuthoredGap, AuthoredOption
from engine.routes import ROUTES
from infra.local import environment
from infra.settings import PackSettings, read
from tests.support.forms import form, item, opened, packed, two
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.forms import Opened

ITEMS = 1000
# χ² with three degrees of freedom at p = 0.001.
BOUND = 16.266
RIGHT = "A"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><path d="{}"/></svg>'


def giveaway() -> tuple[Opened, dict[int, int]]:
    """A packed test that gives its key away wherever an author can; and item → id of its right option.

    The right option is authored first, its picture has the longest name, its file was added first; it stands alone
    where several may be chosen, and what follows from the key (`max_choices`, `right`) lies in the item's content.
    """
    media: dict[str, tuple[str, bytes]] = {}
    items = []
    for number in range(ITEMS):
        options = []
        for letter in "ABCD":
            name = f"{number}-right-answer-of-this-very-item.svg" if letter == RIGHT else f"{number}{letter}.svg"
            shape = "".join(f"M{random.randrange(999)} {random.randrange(999)}" for _ in range(random.randrange(3, 40)))
            media[name] = ("image/svg+xml", DRAWING.format(shape).encode())
            options.append(AuthoredOption(code=letter, picture=name, text=two(f"{number} {letter}")))
        items.append(item(f"M{number}", options=options, kind="multiple" if number % 2 else "single"))
    bundle = packed(form(items, media))
    right = {mapped.id: mapped.options[RIGHT] for mapped in bundle.item_map.values()}
    assert all(isinstance(option, int) for option in right.values())
    return opened(bundle), {number: option for number, option in right.items() if isinstance(option, int)}


def chi_square(ranks: list[int]) -> float:
    """Of ranks 0–3 against a uniform draw."""
    counts = Counter(ranks)
    expected = len(ranks) / 4
    return sum((counts[rank] - expected) ** 2 / expected for rank in range(4))


def rank(values: list[object], mine: object) -> int:
    """The place of mine among the sorted values, ties by chance."""
    order = sorted(values, key=lambda value: (value, random.random()))  # type: ignore[arg-type,return-value]
    return order.index(mine)


def figures(seen: Opened, right: dict[int, int]) -> dict[str, list[int]]:
    """Everything by which the right option could be told from its neighbours, as a rank 0–3 an item."""
    sizes = {file.id: file.size for file in seen.manifest.files}
    names = {file.id: file.name for file in seen.manifest.files}
    places = {file.id: place for place, file in enumerate(seen.manifest.files)}
    found: dict[str, list[int]] = {name: [] for name in ("place", "id", "size", "file id", "file name", "file place")}
    for each in seen.texts[1, "kk"].items:
        options = each.options or []
        mine = next(option for option in options if option.id == right[each.id])
        pictures = [option.picture or "" for option in options]
        picture = mine.picture or ""
        found["place"].append(options.index(mine))
        found["id"].append(rank([option.id for option in options], mine.id))
        found["size"].append(rank([sizes[one] for one in pictures], sizes[picture]))
        found["file id"].append(rank(list(pictures), picture))
        found["file name"].append(rank([names[one] for one in pictures], names[picture]))
        found["file place"].append(rank([places[one] for one in pictures], places[picture]))
    return found


def test_place_ids_sizes_and_files_of_the_right_option_are_uniform() -> None:
    suspects = set(figures(*giveaway()))
    told: dict[str, float] = {}
    for _ in range(2):
        found = figures(*giveaway())
        told = {name: chi_square(found[name]) for name in suspects}
        suspects = {name for name, value in told.items() if value >= BOUND}
        if not suspects:
            break
    assert not suspects, told


def test_order_and_ids_are_the_same_in_every_language() -> None:
    seen, _ = giveaway()
    kk, ru = (
        [(each.id, [option.id for option in each.options or []]) for each in seen.texts[1, language].items]
        for language in ("kk", "ru")
    )
    assert kk == ru


def test_the_shape_of_an_item_is_the_same_whatever_the_key() -> None:
    """Several may be right, one may be: the item looks alike; a gap's options are mixed as any others."""
    seen, _ = giveaway()
    shapes = {
        kind: {tuple(sorted(msgspec.to_builtins(each))) for each in seen.texts[1, "kk"].items if each.kind == kind}
        for kind in ("single", "multiple")
    }
    assert shapes["single"] == shapes["multiple"]
    gap = AuthoredGap(code="g1", options=[AuthoredOption(code=letter, text=two(letter)) for letter in "ABCD"])
    places: list[int] = []
    for _ in range(2):
        bundle = packed(form([item(f"D{number}", kind="dropdown", gaps=[gap]) for number in range(ITEMS)]))
        places = [
            [option.text for option in (each.gaps or [])[0].options].index(RIGHT)
            for each in opened(bundle).texts[1, "kk"].items
        ]
        if chi_square(places) < BOUND:
            return
    pytest.fail(f"the right option's place in a gap: {Counter(places)}")


# ---- canary keys ----

FORBIDDEN = (
    "key",
    "points",
    "score",
    "tolerance",
    "accept",
    "right",
    "correct",
    "answer",
    "rule",
    "weight",
    "solution",
)


def fields_of(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_no_field_of_the_bundle_s_schema_could_hold_a_key() -> None:
    structs = [kind for kind in vars(manifest).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    structs = [kind for kind in structs if kind is not msgspec.Struct]
    assert len(structs) == 6
    named = {(kind.__name__, field) for kind in structs for field in fields_of(kind)}
    assert not {(name, field) for name, field in named if any(word in field for word in FORBIDDEN)}


def test_no_reply_has_a_field_that_could_hold_a_key() -> None:
    """Two words are meant otherwise: the form's decryption keys at T0, the pupil's own answers at re-entry."""
    meant = {("KeyReply", "keys"), ("Resumed", "answers"), ("SignedIn", "rescue_key")}
    replies = (protocol.SignedIn, protocol.SaveReply, protocol.KeyReply, protocol.Resumed, protocol.Have)
    inner = (protocol.SittingFacts, protocol.Controls, protocol.ControlItem, protocol.Final, protocol.ResumedAnswer)
    named = {(kind.__name__, field) for kind in (*replies, *inner) for field in fields_of(kind)}
    assert {pair for pair in named if any(word in pair[1] for word in FORBIDDEN)} == meant


async def test_no_byte_that_a_candidate_can_fetch_holds_a_key(stack: Stack, service: str, owner_url: str) -> None:
    """Canaries in every key, rule and authors' note of a form; then everything that can be fetched, searched."""
    import asyncpg

    scene = await make_sitting(stack, owner_url, starts_in_s=2, last_entry_s=3600)
    canaries: list[str] = []

    def canary(place: str) -> str:
        canaries.append(f"canary-{place}-{random.getrandbits(64):016x}")
        return canaries[-1]

    db = await asyncpg.connect(owner_url)
    for code in scene.items:
        rule = {"type": "text", "accept": [canary("accept")], "right": [RIGHT], "note": canary("note")}
        await db.execute(
            "update keys.item_key set rule = $3 where form_id = $1 and code = $2", scene.form, code, json.dumps(rule)
        )
        extra = {"right": canary("content"), "tolerance": 0.5, "max_choices": 1, "explanation": canary("explanation")}
        await db.execute(
            "update form_item set content = content || $3, topic = $4, skill = $5 where form_id = $1 and code = $2",
            *(scene.form, code, json.dumps(extra), canary("topic"), canary("skill")),
        )
    await pack_and_store(read(PackSettings, environment(stack.home, "pack")), scene.form)
    manifest_name = await db.fetchval("select manifest from form_pack where form_id = $1", scene.form)
    await db.close()
    pupil = Pupil(service, scene.seats[0])
    fetched = await everything(pupil, service, manifest_name)
    assert len(fetched) > len(ROUTES)
    whole = b"\0".join(fetched)
    assert b"question M01" in whole, "the texts were decrypted"
    assert not [secret for secret in canaries if secret.encode() in whole]
    # Author's letters and codes of items are no key, yet they never leave the server either.
    assert not [code for code in scene.items if f'"{code}"'.encode() in whole]


async def everything(pupil: Pupil, service: str, manifest_name: str) -> list[bytes]:
    """All that this pupil can get: replies of each route, the bundle opened, the player's files."""
    from engine.bundles.manifest import Manifest
    from engine.bundles.pack import open_file
    from infra.local import decode_key

    async def signed_in() -> None:
        assert (await pupil.sign_in())["manifest"] == manifest_name

    await eventually(signed_in)
    await eventually(pupil.start)
    pupil.note("view", 1)
    bodies: dict[str, object] = {
        "/v1/sign-in": {"code": pupil.seat.code, "day": 14, "month": 3, "device": pupil.device},
        "/v1/save": pupil.batch(),
        "/v1/finish": {"attempt": pupil.attempt, "events": []},
        "/v1/resume": {"device": pupil.device},
        "/v1/have": {"device": pupil.device},
    }
    fetched: list[bytes] = []
    async with httpx.AsyncClient(
        verify=False, timeout=30, headers={"authorization": f"Bearer {pupil.token}"}
    ) as client:

        async def fetch(method: str, path: str, body: object = None) -> bytes:
            answer = await client.request(method, service + path, json=body)
            fetched.extend([answer.content, str(answer.headers).encode()])
            return answer.content

        for method, path in ROUTES:
            await fetch(method, path, bodies.get(path))

        async def bundle_file(name: str) -> bytes:
            async def known() -> bytes:
                body = await fetch("GET", f"/v1/bundles/{name}")
                assert b"bundle-unknown" not in body
                return body

            return await eventually(known)

        parts = msgspec.json.decode(await bundle_file(manifest_name), type=Manifest).files
        for part in parts:
            body = await bundle_file(part.name)
            fetched.append(open_file(decode_key(pupil.keys["keys"][f"{part.section}/{part.language}"]), part.id, body))
        await fetch("GET", "/")
    player = Path(protocol.__file__).parent / "player" / "dist"
    fetched += [path.read_bytes() for path in player.rglob("*") if path.is_file()]
    fetched += [gzip.decompress(body) for body in fetched if body[:2] == b"\x1f\x8b"]
    return fetched
