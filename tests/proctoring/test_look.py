"""Looking: the portal's key, the viewer's name in the pixels, nothing for what is erased or sealed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image

from proctoring import index
from proctoring.keys import sitting_label, wrap
from tests.proctoring.test_line import rows_of
from tests.support.waiting import eventually
from tests.support.watched import now_ms, picture

if TYPE_CHECKING:
    import asyncpg

    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


async def stored(db: Db, begin: Begin) -> tuple[str, asyncpg.Record]:
    """The address of a picture that is stored, and its row."""
    scene, phone = await begin()
    assert (await phone.send(picture(4, side=320), n=4)).status_code == 200

    async def there() -> asyncpg.Record:
        rows = await rows_of(db, scene.sitting, phone.attempt)
        assert rows
        return rows[0]

    row = await eventually(there)
    return f"/v1/look/{scene.sitting}/{phone.attempt}/4?at={row['taken_ms']}", row


def pixels(body: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("L"), dtype=np.int16)


async def test_the_viewer_s_name_is_in_the_pixels(db: Db, begin: Begin, portal: httpx.AsyncClient) -> None:
    address, _ = await stored(db, begin)
    seen = {}
    for by in ("aigerim", "Бақытжан Әлі"):
        answer = await portal.get(address, params={"by": by} | dict(httpx.URL(address).params))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["cache-control"] == "no-store"
        seen[by] = pixels(answer.content)
    plain = pixels(picture(4, side=320))
    for name, shown in seen.items():
        assert shown.shape == plain.shape
        # In several places over the picture's height: cutting it leaves one.
        touched = np.abs(shown - plain).max(axis=1) > 60
        bands = [touched[start : start + 60].any() for start in range(0, len(touched), 60)]
        assert all(bands[:-1]), name
    assert (np.abs(seen["aigerim"] - seen["Бақытжан Әлі"]) > 40).sum() > 100


async def test_a_thumbnail_has_it_too(db: Db, begin: Begin, portal: httpx.AsyncClient) -> None:
    address, _ = await stored(db, begin)
    answer = await portal.get(f"{address}&by=aigerim&small=1")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (160, 120)


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic x"])
async def test_without_the_portal_s_key_there_is_nothing(db: Db, begin: Begin, proctoring: str, key: str) -> None:
    address, _ = await stored(db, begin)
    async with httpx.AsyncClient(verify=False, base_url=proctoring) as client:
        answer = await client.get(f"{address}&by=x", headers={"authorization": key} if key else {})
    assert answer.status_code == 401


async def test_a_sealed_picture_is_not_there_and_nobody_is_nobody(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    address, row = await stored(db, begin)
    assert (await portal.get(f"{address}&by=aigerim")).status_code == 200
    assert (await portal.get(address)).status_code == 400
    assert (await portal.get(f"{address}&by=%0A%20")).status_code == 400
    assert (await portal.get(f"{address}1&by=aigerim")).status_code == 404
    await db.execute(
        "update picture set sealed_at = now() where sitting_id = $1 and attempt_id = $2",
        *(row["sitting_id"], row["attempt_id"]),
    )
    assert (await portal.get(f"{address}&by=aigerim")).status_code == 404


async def test_a_row_that_points_at_another_child_s_picture_opens_nothing(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """Who can write rows of the index still shows no child as another: the seal holds the head too."""
    address, row = await stored(db, begin)
    other, _ = await stored(db, begin)
    _, _, _, sitting, attempt, rest = other.split("/")
    await db.execute("select make_watch_partition($1)", int(sitting))
    await db.execute(
        """
        update picture set segment_id = $3, byte_offset = $4, byte_length = $5, key_id = $6
        where sitting_id = $1 and attempt_id = $2
        """,
        *(int(sitting), int(attempt), row["segment_id"], row["byte_offset"], row["byte_length"], row["key_id"]),
    )
    assert (await portal.get(f"{other}&by=x")).status_code == 404
    assert (await portal.get(f"{address}&by=x")).status_code == 200
    assert rest


async def test_the_sample_is_checked_and_its_numbers_written(db: Db, begin: Begin, portal: httpx.AsyncClient) -> None:
    _, row = await stored(db, begin)

    async def checked() -> None:
        text = await db.fetchval(
            "select checks::text from picture where sitting_id = $1 and attempt_id = $2",
            *(row["sitting_id"], row["attempt_id"]),
        )
        assert text
        assert '"faces"' in text

    await eventually(checked, limit_s=60)


async def test_a_picture_that_cannot_be_had_costs_no_other_its_look(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """They are taken from the line together; one whose bytes are gone from the store must not take the rest with it."""
    _, lost = await stored(db, begin)
    _, other = await stored(db, begin)
    attempts = [lost["attempt_id"], other["attempt_id"]]

    async def are_checked(*expected: bool) -> None:
        found = await db.fetch(
            "select attempt_id, checks is not null as done from picture where attempt_id = any($1::bigint[])", attempts
        )
        assert {row["attempt_id"]: row["done"] for row in found} == dict(zip(attempts, expected, strict=True))

    await eventually(lambda: are_checked(True, True), limit_s=60)
    await db.execute("update picture_segment set object_name = 'gone' where id = $1", lost["segment_id"])
    places = [[row[name] for row in (lost, other)] for name in ("sitting_id", "attempt_id", "seq", "taken_ms")]
    async with db.transaction():
        await db.execute("update picture set checks = null where attempt_id = any($1::bigint[])", attempts)
        await db.execute(
            """
            insert into picture_to_check (sitting_id, attempt_id, seq, taken_ms, put_at)
            select sitting, attempt, seq, taken_ms, now() - interval '2 minutes' + place * interval '1 second'
            from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) with ordinality
                as one (sitting, attempt, seq, taken_ms, place)
            """,
            *places,
        )

    await eventually(lambda: are_checked(False, True), limit_s=60)
    # And the lost one is not tried for ever.
    assert not await db.fetchval("select count(*) from picture_to_check where attempt_id = any($1::bigint[])", attempts)


async def test_the_same_picture_twice_is_an_event_and_weighs(db: Db, begin: Begin, portal: httpx.AsyncClient) -> None:
    scene, phone = await begin()
    for n in (1, 2, 3):
        assert (await phone.send(picture(9), n=n)).status_code == 200
    assert (await phone.tell({"n": 1, "kind": "paste", "at": now_ms()})).status_code == 200

    async def scored() -> None:
        row = await db.fetchrow(
            "select score, reasons::text, pictures from watch_score where attempt_id = $1", phone.attempt
        )
        assert row is not None
        assert row["pictures"] == 3
        assert '"picture-repeated"' in row["reasons"]
        assert '"paste"' in row["reasons"]
        assert row["score"] > 0

    await eventually(scored, limit_s=60)
    assert scene.sitting


async def test_a_repeated_picture_is_seen_though_the_older_one_comes_later(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """A phone without a line keeps pictures and sends the older ones last."""
    _, phone = await begin()
    first_ms = now_ms() - 90_000
    for n in (3, 2, 1):
        assert (await phone.send(picture(9), n=n, at=first_ms + n * 30_000)).status_code == 200

        async def checked(more: int = 4 - n) -> None:
            stored = await db.fetch(
                "select seq, checks ? 'server' as done from picture where attempt_id = $1 order by seq desc",
                phone.attempt,
            )
            assert [row["seq"] for row in stored if row["done"]] == [3, 2, 1][:more], stored

        await eventually(checked, limit_s=60)
    seen = "select array_agg(seq order by seq) from watch_event where attempt_id = $1 and kind = 'picture-repeated'"
    assert await db.fetchval(seen, phone.attempt) == [1, 2]


async def test_another_wrapping_key_is_said_before_anybody_needs_a_picture(
    db: Db, begin: Begin, portal: httpx.AsyncClient, kek: bytes
) -> None:
    """A backup was moved to a machine with a fresh key: `/ready`, which `elumiti doctor` reads, says so at once."""
    await stored(db, begin)
    assert (await portal.get("/ready")).json() == {"ready": True, "reasons": {}, "warnings": {}}
    assert not await index.opens_newest(db, bytes(32))
    kept = await db.fetchrow("select sitting_id, wrapped from picture_sitting_key order by sitting_id desc limit 1")
    assert kept
    other = wrap(bytes(32), AESGCM(bytes(32)), sitting_label(kept["sitting_id"]))
    try:
        await db.execute("update picture_sitting_key set wrapped = $2 where sitting_id = $1", kept["sitting_id"], other)
        answer = await portal.get("/ready")
    finally:
        await db.execute("update picture_sitting_key set wrapped = $2 where sitting_id = $1", *kept)
    assert answer.status_code == 503
    assert "picture_kek" in answer.json()["reasons"]["keys"]
    assert await index.opens_newest(db, kek)


async def test_what_a_sitting_says_of_a_weight_counts_from_then_on(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """The same events, worked out anew when the portal asks for it."""
    assert portal
    scene, phone = await begin()
    assert (await phone.tell({"n": 1, "kind": "paste", "at": now_ms()})).status_code == 200

    async def scored(points: float) -> None:
        found = await db.fetchval("select score from watch_score where attempt_id = $1", phone.attempt)
        assert found == points

    await eventually(lambda: scored(6), limit_s=60)
    await db.execute(
        'update sitting_watch set rules = \'{"paste": {"weight": 1.5}}\' where sitting_id = $1', scene.sitting
    )
    await db.execute("insert into watch_to_score values ($1, $2)", scene.sitting, phone.attempt)
    await eventually(lambda: scored(1.5), limit_s=60)
