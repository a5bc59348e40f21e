"""Receipts and rescue files: what is genuine, what is refused, what is inserted once."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import uuid
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from engine.receipts import receipt_code
from infra.local import decode_key
from portal.features.rescue import queries, rules
from portal.features.rescue.problems import NotARescueFile

if TYPE_CHECKING:
    from tests.portal.conftest import House

DEVICE = uuid.uuid4().hex


def b64(body: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def events() -> list[dict[str, object]]:
    """A log: two answers, one changed, and a finish."""
    given = [
        {"seq": 1, "kind": "start", "value": {"agent": "x"}, "anchor": "1.a", "ms": 1},
        {"seq": 2, "kind": "answer", "item": 77, "value": 911, "anchor": "1.a", "ms": 5.5},
        {"seq": 3, "kind": "view", "item": 78, "anchor": "1.a", "ms": 6},
        {"seq": 4, "kind": "answer", "item": 78, "value": "3,5", "anchor": "1.a", "ms": 9},
    ]
    return [dict(event) for event in given]


def line(event: dict[str, object]) -> bytes:
    """As the player hashes it."""
    value = json.dumps(event["value"], ensure_ascii=False, separators=(",", ":")) if "value" in event else "-"
    return f"{event['seq']} {event['kind']} {event.get('item', '-')} {value}\n".encode()


def seal(private: str, sitting: int, attempt: int, log: list[dict[str, object]], chain: str | None = None) -> bytes:
    """What the player writes (engine/player/src/rescue.ts)."""
    link = bytes(32)
    for event in log:
        link = hashlib.sha256(link + line(event)).digest()
    payload = {
        "attempt": attempt,
        "device": DEVICE,
        "token": "t",
        "events": log,
        "chain": chain or link.hex(),
        "links": [],
    }
    own, theirs = X25519PrivateKey.generate(), X25519PrivateKey.from_private_bytes(decode_key(private)).public_key()
    ours = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    salt = ours + theirs.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = HKDF(SHA256(), 32, salt, b"elumiti/rescue").derive(own.exchange(theirs))
    nonce = os.urandom(12)
    said = {"elumiti": "rescue", "version": 1, "sitting": sitting, "key": b64(ours), "nonce": b64(nonce), "zip": "gzip"}
    head = json.dumps(said).encode() + b"\n"
    plain = gzip.compress(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
    return head + AESGCM(key).encrypt(nonce, plain, head)


def test_a_file_is_read_and_inserted_once(house: House, make_sitting) -> None:  # noqa: ANN001
    """New events come in marked; the same file again changes nothing; other content is kept as a conflict."""
    scene = make_sitting()
    attempt = scene.pupils[0]
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
        attempt,
        scene.id,
    )
    private = house.settings.rescue_private_key
    _, payload = rules.open_file(seal(private, scene.id, attempt, events()), decode_key(private))
    report = rules.weigh(payload, {}, None, 0)
    assert (report.events, report.new, report.answers_changed, report.finished) == (4, 4, 2, False)

    async def take(given: object) -> int:
        async with house.front.inner.state.pool.acquire() as db, db.transaction():
            return await queries.take_in(db, scene.id, given, 1_764_057_600_000)  # type: ignore[arg-type]

    assert house.loop.run(take(payload)) == 4
    assert house.loop.run(take(payload)) == 0
    rows = house.sql("select seq, item, value, marks from response_event where attempt_id = $1 order by seq", attempt)
    assert [(row["item"], row["value"]) for row in rows] == [
        (None, '{"agent":"x"}'),
        (77, "911"),
        (78, None),
        (78, '"3,5"'),
    ]
    assert all(row["marks"] & 32 for row in rows)
    other = events()
    other[1]["value"] = 912
    _, changed = rules.open_file(seal(private, scene.id, attempt, other), decode_key(private))
    assert house.loop.run(take(changed)) == 0
    assert house.sql("select value from response_conflict where attempt_id = $1", attempt)[0]["value"] == "912"


def test_what_was_altered_is_refused(house: House) -> None:
    """SAFETY J8: a byte, the head, the end, another key, a broken chain, a gap."""
    private = house.settings.rescue_private_key
    good = seal(private, 1, 2, events())
    key = decode_key(private)
    rules.open_file(good, key)
    gap = [event for event in events() if event["seq"] != 2]
    bad = [
        good[:-1],
        good[: len(good) // 2],
        good[:-5] + bytes([good[-5] ^ 1]) + good[-4:],
        good.replace(b'"sitting": 1', b'"sitting": 9'),
        b"",
        b"{}\n",
        os.urandom(400),
        seal(private, 1, 2, events(), chain="00" * 32),
        seal(private, 1, 2, gap),
    ]
    for body in bad:
        with pytest.raises(NotARescueFile):
            rules.open_file(body, key)
    with pytest.raises(NotARescueFile):
        rules.open_file(good, os.urandom(32))


def test_a_receipt_is_computed_again(house: House, make_sitting) -> None:  # noqa: ANN001
    """Genuine; a row whose digest was changed is not; another territory sees nothing."""
    scene = make_sitting()
    attempt, digest = scene.pupils[0], os.urandom(32)
    code = receipt_code(decode_key(house.settings.receipt_key), attempt, 41, digest)
    house.sql(
        "insert into seal (attempt_id, sitting_id, device, finish_seq, digest, code) values ($1, $2, $3, 41, $4, $5)",
        *(attempt, scene.id, uuid.uuid4(), digest, code),
    )
    admin = house.worker("test-administrator")
    assert "Серікова Айгүл" in admin.get(f"/receipts?code={code.lower().replace('-', '')}").text
    assert (
        "Серікова"
        not in house.worker("room-supervisor", school=scene.place.schools[1]).get(f"/receipts?code={code}").text
    )
    house.sql("update seal set digest = $2 where attempt_id = $1", attempt, os.urandom(32))
    assert "Серікова" not in admin.get(f"/receipts?code={code}").text
