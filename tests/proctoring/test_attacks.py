"""What must not come in: no token, another's, too early, too late, no consent; what is no picture; what is too much."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from proctoring.worker import PICTURES_A_MINUTE
from tests.proctoring.test_line import rows_of
from tests.support.waiting import eventually
from tests.support.watched import Phone, consented, now_ms, picture

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.proctoring.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]

HTML = b"<!doctype html><html><body><script>alert(1)</script></body></html>"
JPEG = picture(3, "JPEG")


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def nothing_but(db: Db, phone: Phone, sitting: int) -> bool:
    """What comes after it is put down, and nothing else is: pictures sent later over the same connection."""
    for n in (101, 102, 103):
        assert (await phone.send(n=n)).status_code == 200

    async def later() -> None:
        assert len(await rows_of(db, sitting, phone.attempt)) == 3

    await eventually(later)
    events = await db.fetchval(
        "select count(*) from watch_event where sitting_id = $1 and data ->> 'by' is null", sitting
    )
    return await db.fetchval("select count(*) from picture where sitting_id = $1", sitting) == 3 and events == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (HTML, 415, "not-a-picture"),
        (b"", 415, "not-a-picture"),
        (b"GIF89a" + bytes(200), 415, "not-a-picture"),
        (JPEG[: len(JPEG) // 2], 415, "not-a-picture"),
        (JPEG[:4] + bytes(60) + b"\xff\xd9", 415, "not-a-picture"),
        (b"\xff\xd8\xff" + b"\xff\xd8" * 500 + b"\xff\xd9", 415, "not-a-picture"),
        (picture(1)[:-9], 415, "not-a-picture"),
        (picture(1) + HTML, 415, "not-a-picture"),
        (b"RIFF\x16\x00\x00\x00WEBPVP8 " + bytes(14), 415, "not-a-picture"),
        (bytes(12_289), 413, "body-too-large"),
    ],
)
async def test_what_is_no_picture_is_refused(db: Db, begin: Begin, body: bytes, status: int, code: str) -> None:
    scene, phone = await begin()
    refused(await phone.send(body), status, code)
    assert await nothing_but(db, phone, scene.sitting)


async def test_fifty_megabytes_are_refused_before_they_are_read(ingest: str, begin: Begin) -> None:
    _, phone = await begin()
    host, port = ingest.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/pictures?n=1&at={now_ms()} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {phone.token}\r\n"
    writer.write(f"{head}content-length: {50 * 2**20}\r\n\r\n".encode() + bytes(1000))
    began = time.monotonic()
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b" 413 " in answer
    assert time.monotonic() - began < 2
    writer.close()
    # Of a body that does not say how long it is, only as much is read as is allowed.
    read = 0

    async def endless() -> object:
        nonlocal read
        while True:
            read += 8192
            yield bytes(8192)

    try:
        answer = await phone.client.post(
            f"{ingest}/v1/pictures?n=2&at={now_ms()}",
            content=endless(),
            headers={"authorization": f"Bearer {phone.token}"},
        )
        assert answer.status_code == 413
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        pass
    assert read < 20 * 2**20


async def test_a_token_speaks_for_its_own_attempt_alone(stack: Stack, db: Db, begin: Begin) -> None:
    """Whose picture it is, the claims say: there is nothing in the request that could say otherwise."""
    scene, phone = await begin()
    other = Phone(stack, scene.seats[1].attempt, scene.sitting)
    assert (await phone.send(picture(7), n=7, token=other.token)).status_code == 200

    async def there() -> None:
        assert [row["seq"] for row in await rows_of(db, scene.sitting, other.attempt)] == [7]

    await eventually(there)
    assert await rows_of(db, scene.sitting, phone.attempt) == []


async def test_altered_and_foreign_tokens_are_refused(db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    raw = bytearray(base64.urlsafe_b64decode(phone.token + "=="))
    for at in (0, 4, 11, 15, 19, 23, 24, 39):
        raw[at] ^= 1
        refused(await phone.send(token=base64.urlsafe_b64encode(raw).decode().rstrip("=")), 401, "token-rejected")
        raw[at] ^= 1
    for token in ("x", "AAAA" * 20, "é"):
        answer = await phone.client.post(
            f"{phone.base}/v1/pictures?n=1&at={now_ms()}",
            content=picture(1),
            headers={"authorization": f"Bearer {token}".encode()},
        )
        assert answer.status_code in {400, 401}
    assert await nothing_but(db, phone, scene.sitting)


async def test_nothing_is_taken_before_and_after_the_claims_times(stack: Stack, db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    now_s = int(time.time())
    early = Phone(stack, phone.attempt, scene.sitting, opens_s=now_s + 60)
    refused(await early.send(), 403, "not-open-yet")
    late = Phone(stack, phone.attempt, scene.sitting, expires_s=now_s - 1)
    refused(await late.send(), 403, "token-expired")
    assert await nothing_but(db, phone, scene.sitting)


async def test_a_sitting_that_is_not_proctored_gives_no_byte(stack: Stack, begin: Begin) -> None:
    _, phone = await begin()
    refused(await Phone(stack, phone.attempt, 999_999).send(), 403, "not-watched")


async def test_a_withdrawn_consent_stops_it_at_once(stack: Stack, db: Db, begin: Begin) -> None:
    scene, phone = await begin()
    consent, staff, _ = await consented(db, phone)
    assert (await phone.send()).status_code == 200
    await db.execute("update consent set withdrawn_at = now(), withdrawn_by = $2 where id = $1", consent, staff)

    async def shut() -> None:
        for _ in range(6):
            refused(await phone.send(), 403, "camera-consent-needed")

    await eventually(shut, limit_s=4)
    refused(await phone.tell({"n": 1, "kind": "tab-left", "at": now_ms()}), 403, "camera-consent-needed")
    # The other child of the sitting goes on.
    assert (await Phone(stack, scene.seats[1].attempt, scene.sitting).send()).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "", "n=1", "at=1", "n=-1&at={now}", "n=1.5&at={now}", "n=١&at={now}", "n=1&at=0", "n=1&at=99999999999999999999",
        "n=2147483648&at={now}", "n=1&at={now}&kind=events", "n=1&at={now}&kind=x", "n=1&at={now}&kind", "n= 1&at={now}",
    ],
)  # fmt: skip
async def test_queries_that_mean_nothing(ingest: str, begin: Begin, query: str) -> None:
    _, phone = await begin()
    answer = await phone.client.post(
        f"{ingest}/v1/pictures?{query.format(now=now_ms())}",
        content=picture(1),
        headers={"authorization": f"Bearer {phone.token}"},
    )
    refused(answer, 400, "query-invalid")


@pytest.mark.parametrize("query", ["kind=snapshot&at={now}&n=1", "at={now}&n=1", "n=1&at={now}&kind=snapshot&more=x"])
async def test_what_a_query_says_in_another_order_is_the_same(begin: Begin, query: str) -> None:
    _, phone = await begin()
    answer = await phone.client.post(
        f"{phone.base}/v1/pictures?{query.format(now=now_ms())}",
        content=picture(1),
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert (answer.status_code, answer.json()["received"]) == (200, 1)


async def test_an_identity_photo_may_be_larger_and_a_screen_only_where_asked_for(begin: Begin) -> None:
    _, phone = await begin()
    noise = io.BytesIO()
    Image.effect_noise((320, 240), 90).convert("RGB").save(noise, "JPEG", quality=70)
    assert 12_288 < len(noise.getvalue()) < 49_152
    refused(await phone.send(noise.getvalue()), 413, "body-too-large")
    assert (await phone.send(noise.getvalue(), kind="identity")).status_code == 200
    refused(await phone.send(kind="screen"), 403, "kind-not-wanted")


@pytest.mark.parametrize(
    "events",
    [
        "[]]", "{}", '[{"n": 1}]', '[{"n": 1, "kind": "guilty", "at": 1790000000000}]', '[{"n": -1, "kind": "copy", "at": 1790000000000}]',
        '[{"n": 1, "kind": "copy", "at": 5}]', '[{"n": 1, "kind": "copy", "at": 1790000000000, "x": {"deep": 1}}]',
        "[" + ",".join('{"n": 1, "kind": "copy", "at": 1790000000000}' for _ in range(51)) + "]", "[" * 5000,
    ],
)  # fmt: skip
async def test_reports_that_mean_nothing_are_refused_whole(db: Db, begin: Begin, events: str) -> None:
    scene, phone = await begin()
    answer = await phone.client.post(
        f"{phone.base}/v1/watch", content=f'{{"events": {events}}}', headers={"authorization": f"Bearer {phone.token}"}
    )
    refused(answer, 400, "body-invalid")
    assert await nothing_but(db, phone, scene.sitting)


async def test_one_candidate_has_a_measure_and_the_others_do_not_feel_it(stack: Stack, begin: Begin) -> None:
    scene, phone = await begin()
    # Two workers count for themselves, and the minute may turn meanwhile: four measures at the most.
    body = picture(1)
    sent = await asyncio.gather(*(phone.send(body, n=n) for n in range(1, 4 * PICTURES_A_MINUTE + 2)))
    assert 429 in {answer.status_code for answer in sent}
    assert (await Phone(stack, scene.seats[1].attempt, scene.sitting).send()).status_code == 200


async def test_only_the_player_s_origin_may_read(stack: Stack, ingest: str, begin: Begin) -> None:
    _, phone = await begin()
    ours = f"http://127.0.0.1:{stack.home.ports.engine}"
    answer = await phone.send(origin=ours)
    assert answer.headers["access-control-allow-origin"] == ours
    assert "access-control-allow-origin" not in (await phone.send(origin="https://evil.example")).headers
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    allowed = await phone.client.options(f"{ingest}/v1/pictures", headers=asked | {"origin": ours})
    assert allowed.status_code == 204
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert (
        "access-control-allow-headers"
        not in (
            await phone.client.options(f"{ingest}/v1/pictures", headers=asked | {"origin": "https://evil.example"})
        ).headers
    )
    # A refusal can be read too, or the page could not tell why.
    broken = await phone.send(HTML, origin=ours)
    assert broken.headers["access-control-allow-origin"] == ours


async def test_health_figures_and_wrong_ways(ingest: str, begin: Begin) -> None:
    _, phone = await begin()
    assert (await phone.send()).status_code == 200
    async with httpx.AsyncClient(verify=False, base_url=ingest) as client:
        assert (await client.get("/health")).text == "ok"
        assert (await client.get("/ready")).json()["ready"] is True
        assert "elumiti_pictures_received_total" in (await client.get("/metrics")).text
        assert (await client.get("/metrics", headers={"x-forwarded-for": "8.8.8.8"})).status_code == 404
        refused(await client.get("/v1/pictures"), 405, "method-not-allowed")
        refused(await client.get("/v1/look/1/1/1"), 404, "not-found")
