"""What a child with a token of its own may try against the others and against who looks: poison, bombs, floods, lies."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import io
import os
import signal
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from PIL import Image

from infra.picture_tokens import device_mark
from proctoring import index
from proctoring.bounds import MOST_OF_ONE
from proctoring.checks.numbers import look
from proctoring.decoding import UnreadableError
from proctoring.images import size_of
from proctoring.look.overlay import shown
from tests.proctoring.test_attacks import refused
from tests.proctoring.test_line import read_back, rows_of
from tests.proctoring.test_sealed import seal
from tests.support.waiting import eventually
from tests.support.watched import Phone, now_ms, picture

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]

DAY_MS = 86_400_000


async def stored(db: Db, phone: Phone, count: int = 1) -> list[asyncpg.Record]:
    async def there() -> list[asyncpg.Record]:
        rows = await rows_of(db, phone.sitting, phone.attempt)
        assert len(rows) == count
        return rows

    return await eventually(there, limit_s=20)


# ---- times


@pytest.mark.parametrize("digits", ["7", "7" * 7, "7" * 40])
async def test_a_time_with_zeros_before_it_poisons_no_segment(stack: Stack, db: Db, begin: Begin, digits: str) -> None:
    """Postgres would refuse the row, and with it every other child's pictures of the same file."""
    scene, phone = await begin()
    answer = await phone.client.post(
        f"{phone.base}/v1/pictures?n=1&at=000{now_ms()}{digits}",
        content=picture(1),
        headers={"authorization": f"Bearer {phone.token}"},
    )
    other = Phone(stack, scene.seats[1].attempt, scene.sitting)
    assert (await other.send(n=1)).status_code == 200
    await stored(db, other)
    refused(answer, 400, "query-invalid")


async def test_nothing_happens_in_another_age(begin: Begin) -> None:
    """Pages show these hours on an axis: from a day before the first sign-in to a day from now."""
    _, phone = await begin()
    for at in (0, 1_577_836_800_000, now_ms() - 2 * DAY_MS, now_ms() + 2 * DAY_MS, 2**53 - 1, 2**63, 2**64, -1):
        refused(await phone.tell({"n": 1, "kind": "copy", "at": at}), 400, "body-invalid")
        refused(await phone.send(at=at or -5), 400, "query-invalid")
    for at in (now_ms() - DAY_MS // 2, now_ms() + DAY_MS // 2):
        assert (await phone.tell({"n": 1, "kind": "copy", "at": at})).status_code == 200
        assert (await phone.send(at=at)).status_code == 200


# ---- pictures that are something else inside


def jpeg(width: int, height: int) -> bytes:
    """A small JPEG whose frame says another size."""
    out = io.BytesIO()
    Image.effect_noise((64, 48), 20).convert("RGB").save(out, "JPEG", quality=30)
    body = bytearray(out.getvalue())
    at = body.index(b"\xff\xc0")
    body[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(body)


def doubled(bare: int, width: int = 13_000, height: int = 13_000) -> bytes:
    """To who jumps over each marker by its length a picture of 320 × 240; to a decoder what lies in the gap."""
    inner = jpeg(width, height)[2:]
    frame = b"\xff\xc0\x00\x11\x08" + (240).to_bytes(2, "big") + (320).to_bytes(2, "big") + bytes(10)
    return b"\xff\xd8\xff" + bytes((bare,)) + (len(inner) + 2).to_bytes(2, "big") + inner + frame + b"\xff\xd9"


@pytest.mark.parametrize("bare", [0x01, 0xD0, 0xD7])
async def test_a_small_frame_before_a_huge_one_is_no_picture(begin: Begin, bare: int) -> None:
    """169 million pixels of 3 KB: a gigabyte for each proctor that looks."""
    _, phone = await begin()
    bomb = doubled(bare)
    assert size_of(bomb) is None
    refused(await phone.send(bomb), 415, "not-a-picture")


def test_who_decodes_looks_at_the_size_first() -> None:
    """Whatever the ingest let through."""
    for body in (jpeg(9000, 9000), jpeg(65_000, 16), doubled(1, 9000, 9000)):
        with pytest.raises(UnreadableError):
            shown(body, "aigerim", dt.datetime.now(dt.UTC), small=True)
        assert look(body) is None


async def test_a_picture_that_kills_the_checks_stops_them_for_nobody_else(
    stack: Stack, db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """The process of the checks dies (memory, a fault of the decoder): the next picture is looked at by a new one."""
    assert portal
    _, phone = await begin()
    done = "select count(*) from picture where attempt_id = $1 and checks ? 'server'"

    async def checked(count: int) -> None:
        assert await db.fetchval(done, phone.attempt) >= count

    assert (await phone.send(n=1)).status_code == 200
    await eventually(lambda: checked(1), limit_s=60)
    parent = stack.parts["proctoring"].pid
    assert parent
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    spawned = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(spawned) == 1
    os.kill(spawned[0], signal.SIGKILL)
    for n in (2, 3):
        assert (await phone.send(n=n)).status_code == 200
        await eventually(lambda n=n: checked(n), limit_s=60)
    last = "select checks #>> '{server,faces}' from picture where attempt_id = $1 and seq = 3"
    assert await db.fetchval(last, phone.attempt) is not None


async def test_the_place_of_the_home_never_reaches_a_proctor(db: Db, begin: Begin, portal: httpx.AsyncClient) -> None:
    """A picture of a phone's own camera says where it was taken: what a proctor gets is pixels alone."""
    scene, phone = await begin()
    exif = Image.Exif()
    exif[0x010E] = "Абай даңғылы 10"
    exif.get_ifd(0x8825)[2] = (43.0, 14.0, 20.0)
    for n, kind in ((1, "JPEG"), (2, "WEBP")):
        out = io.BytesIO()
        Image.effect_noise((160, 120), 20).convert("RGB").save(out, kind, quality=30, exif=exif, xmp=b"<x>Abai 10</x>")
        assert (await phone.send(out.getvalue(), n=n)).status_code == 200
    for row in await stored(db, phone, 2):
        for small in (0, 1):
            address = f"/v1/look/{scene.sitting}/{phone.attempt}/{row['seq']}?at={row['taken_ms']}&by=a&small={small}"
            answer = await portal.get(address)
            assert answer.status_code == 200
            with Image.open(io.BytesIO(answer.content)) as image:
                assert not image.getexif()
                assert not {"exif", "xmp", "icc_profile"} & set(image.info)


# ---- what should not be seen


async def test_a_sealed_picture_that_is_sent_again_stays_sealed(
    stack: Stack, db: Db, begin: Begin, portal: httpx.AsyncClient, kek: bytes
) -> None:
    """Also by a phone whose clock is ahead, and at once; and what was erased becomes zeros once more."""
    scene, phone = await begin()
    sent = {1: now_ms() + 3_600_000, 2: now_ms()}
    for n, at in sent.items():
        assert (await phone.send(n=n, at=at)).status_code == 200
    rows = {row["seq"]: row for row in await stored(db, phone, 2)}
    seals = [await seal(db, rows[1]), await seal(db, rows[2], "erase")]

    async def zeroed() -> None:
        assert await db.fetchval("select erased_at is not null from picture_seal where id = $1", seals[1])

    await eventually(zeroed, limit_s=20)
    for n, at in sent.items():
        assert (await phone.send(n=n, at=at)).status_code == 200
    again = await stored(db, phone, 4)
    assert all(row["sealed_at"] for row in again)
    for n, at in sent.items():
        assert (await portal.get(f"/v1/look/{scene.sitting}/{phone.attempt}/{n}?at={at}&by=a")).status_code == 404
    await eventually(zeroed, limit_s=20)
    for row in again:
        if row["seq"] == 2:
            with pytest.raises(InvalidTag):
                await read_back(stack, db, row, kek)


# ---- lies about oneself


async def test_nobody_says_for_the_server_what_it_saw(db: Db, begin: Begin) -> None:
    """What only the server saw weighs less: a phone that marks its events so is not believed."""
    scene, phone = await begin()
    body = [
        {"n": n, "kind": "paste", "at": now_ms(), **said}
        for n, said in enumerate(({"by": "server"}, {"by\0": "server"}, {"by": "ser\0ver"}, {"by": "child"}), 1)
    ]
    assert (await phone.tell(*body)).status_code == 200

    async def told() -> list[str | None]:
        rows = await db.fetch(
            "select data ->> 'by' as by from watch_event where sitting_id = $1 and kind = 'paste' order by seq",
            scene.sitting,
        )
        assert len(rows) == 4
        return [row["by"] for row in rows]

    assert await eventually(told, limit_s=20) == [None, None, None, "child"]


async def test_a_flood_of_harmless_events_hides_nothing_from_the_score(
    db: Db, begin: Begin, portal: httpx.AsyncClient
) -> None:
    """Six thousand lines that came back, dated before all else."""
    assert portal
    scene, phone = await begin()
    await db.execute("select make_watch_partition($1)", scene.sitting)
    await db.execute(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms, data)
        select $1, $2, n, case when n <= 6000 then 'line-back' else 'virtual-camera' end, $3::bigint + n, $3,
               case when n <= 6000 then '{}'::jsonb else '{"by": "server"}' end
        from generate_series(1, 6001) n
        """,
        *(scene.sitting, phone.attempt, now_ms()),
    )
    await db.execute(
        "insert into watch_to_score (sitting_id, attempt_id) values ($1, $2)", scene.sitting, phone.attempt
    )

    async def scored() -> None:
        assert await db.fetchval("select score from watch_score where attempt_id = $1", phone.attempt) == 15

    await eventually(scored, limit_s=20)


async def test_events_of_one_attempt_have_an_end_and_the_child_hears_nothing_of_it(
    stack: Stack, db: Db, begin: Begin
) -> None:
    """Beyond the bound all is answered as before, nothing more of this attempt is put down, and how much was left is known."""
    scene, phone = await begin()
    other = Phone(stack, scene.seats[1].attempt, scene.sitting)
    await db.execute("select make_watch_partition($1)", scene.sitting)
    # What the server saw takes no room.
    await db.execute(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms, data)
        select $1, $2, n, 'line-back', $3::bigint - n, $3, case when n > $4 then '{"by": "server"}'::jsonb else '{}' end
        from generate_series(1, $4 + 9) n
        """,
        *(scene.sitting, phone.attempt, now_ms(), MOST_OF_ONE - 2),
    )
    counted = "elumiti_pictures_events_left_out_total"
    for one in (phone, other):
        said = [{"n": 9000 + n, "kind": "copy", "at": now_ms()} for n in range(5)]
        answer = await one.tell(*said)
        assert answer.status_code == 200
        assert answer.json()["received"] == [9000, 9001, 9002, 9003, 9004]
        assert (await one.send(n=1)).status_code == 200

    async def put() -> None:
        rows = await db.fetch(
            "select attempt_id, count(*) as many from watch_event where sitting_id = $1 and kind = 'copy' group by 1",
            scene.sitting,
        )
        assert {row["attempt_id"]: row["many"] for row in rows} == {phone.attempt: 2, other.attempt: 5}
        left = await db.fetch("select attempt_id, left_out from watch_flood where sitting_id = $1", scene.sitting)
        assert [tuple(row) for row in left] == [(phone.attempt, 3)]
        page = (await phone.client.get(f"{phone.base}/metrics")).text
        assert any(float(line.split()[1]) >= 3 for line in page.splitlines() if line.startswith(counted))

    await eventually(put, limit_s=20)
    for one in (phone, other):
        await stored(db, one)


@pytest.mark.parametrize(
    "words", ['"\\ud800"', '"\\udfff\\ud800"', "1e400", "123456789012345678901234567890", '"\\u0000"']
)
async def test_texts_and_numbers_that_are_none_harm_nobody_beside(
    stack: Stack, db: Db, begin: Begin, words: str
) -> None:
    """Taken or refused in words; what others sent with the same group is stored."""
    scene, phone = await begin()
    answer = await phone.client.post(
        f"{phone.base}/v1/watch",
        content=f'{{"events": [{{"n": 1, "kind": "copy", "at": {now_ms()}, "x": {words}}}]}}',
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert answer.status_code in {200, 400}, answer.text
    other = Phone(stack, scene.seats[1].attempt, scene.sitting)
    assert (await other.send(n=1)).status_code == 200
    await stored(db, other)


@pytest.mark.parametrize("key", ["Bearer ключ".encode(), b"Bearer \xff\xfe", "é".encode()])
async def test_a_key_in_other_letters_is_no_fault_of_ours(begin: Begin, proctoring: str, key: bytes) -> None:
    """401 like any other wrong one."""
    await begin()
    async with httpx.AsyncClient(verify=False, base_url=proctoring) as client:
        answer = await client.get("/v1/look/1/1/1?at=1&by=x", headers={b"authorization": key})
        assert answer.status_code == 401, answer.text


async def test_who_no_longer_has_the_attempt_sends_nothing_into_it(stack: Stack, db: Db, begin: Begin) -> None:
    """A stranger with the child's slip has a token until the end of the sitting: his face is no evidence against the child."""
    scene, phone = await begin()
    stranger, child = uuid.uuid4(), uuid.uuid4()
    theirs = Phone(stack, phone.attempt, scene.sitting, device=device_mark(stranger.bytes))
    own = Phone(stack, phone.attempt, scene.sitting, device=device_mark(child.bytes))
    assert [(await one.send(n=1)).status_code for one in (theirs, own)] == [200, 200]
    for epoch, device in enumerate((child, stranger), 1):
        await db.execute(
            "insert into attempt_device (attempt_id, device, epoch, first_seen_ms) values ($1, $2, $3, 1)",
            *(phone.attempt, device, epoch),
        )

    async def shut(out: Phone, within: Phone) -> None:
        for _ in range(6):
            refused(await out.send(), 403, "device-replaced")
            refused(await out.tell({"n": 1, "kind": "several-faces", "at": now_ms()}), 403, "device-replaced")
            assert (await within.send()).status_code == 200

    await eventually(lambda: shut(own, theirs), limit_s=5)
    # The attempt is given back (SAFETY J4): the child's phone goes on with what it kept.
    await db.execute("update attempt_device set epoch = 3 where device = $1", child)
    await eventually(lambda: shut(theirs, own), limit_s=5)
    assert (await phone.send()).status_code == 200, "a token of before says no device"


async def test_large_photos_and_thick_reports_have_their_measure(stack: Stack, begin: Begin) -> None:
    """Two workers, 120 a minute each: forty photos for each request that a photo costs, and the others do not feel it."""
    scene, phone = await begin()
    photos = await asyncio.gather(*(phone.send(picture(1), n=n, kind="identity") for n in range(1, 150)))
    assert 429 in {answer.status_code for answer in photos}
    other = Phone(stack, scene.seats[1].attempt, scene.sitting)
    report = [{"n": n, "kind": "line-back", "at": now_ms()} for n in range(50)]
    kept = [(await other.tell(*report)).status_code for _ in range(10)]
    assert kept == [200] * 10, "what a phone without a line kept"
    more = await asyncio.gather(*(other.tell(*report) for _ in range(80)))
    assert 429 in {answer.status_code for answer in more}


async def test_no_key_and_no_name_is_in_logs_figures_or_the_spool(
    stack: Stack, db: Db, begin: Begin, portal: httpx.AsyncClient, kek: bytes
) -> None:
    """Raw, hex, both forms of base64; the wrapping key, the attempt's own, the portal's look key, tokens."""
    scene, phone = await begin()
    assert (await phone.send(n=1)).status_code == 200
    await phone.send(b"x")
    await phone.client.post(f"{phone.base}/v1/pictures?n=1&at=x", headers={"authorization": f"Bearer {phone.token}"})
    (row,) = await stored(db, phone)
    key = await index.find_key(db, row["key_id"], kek)
    assert key is not None
    assert (
        await portal.get(f"/v1/look/{scene.sitting}/{phone.attempt}/1?at={row['taken_ms']}&by=a")
    ).status_code == 200
    secrets = [form for one in (kek, key.secret) for form in forms_of(one)]
    secrets += [stack.secrets.look_key.encode(), phone.token.encode()]
    name = await db.fetchval("select last_name from participant where id = $1", phone.attempt)
    pages = [
        (await client.get(f"{base}{path}")).content
        for client, base in ((phone.client, phone.base), (portal, ""))
        for path in ("/metrics", "/ready", "/health")
    ]
    folders = (stack.home.folder / "log", stack.home.folder / "pictures")
    files = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(b"proctoring" in one for one in files)
    for one in [*pages, *files]:
        assert not [secret for secret in secrets if secret in one]
    assert not [page for page in pages if name.encode() in page]


def forms_of(key: bytes) -> list[bytes]:
    text = [base64.b64encode(key).rstrip(b"="), base64.urlsafe_b64encode(key).rstrip(b"=")]
    return [key, key.hex().encode(), key.hex().upper().encode(), *text]
