"""A proctored sitting, its candidates' phones, and pictures as they take them."""

from __future__ import annotations

import functools
import io
import json
import random
import time
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image, ImageDraw

from infra.local import decode_key
from infra.picture_tokens import PictureClaims, PictureTokens
from tests.support.sittings import make_sitting

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene

    Db = asyncpg.Connection[asyncpg.Record]


@functools.lru_cache(maxsize=512)
def picture(number: int = 0, kind: str = "WEBP", side: int = 160) -> bytes:
    """A small picture that is unlike any other."""
    draw = random.Random(number)
    image = Image.effect_noise((side, side * 3 // 4), 12).convert("RGB")
    ImageDraw.Draw(image).text((10, 10), f"{number} {draw.random()}")
    out = io.BytesIO()
    image.save(out, kind, quality=30)
    return out.getvalue()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def watch(db: Db, sitting: int, **facts: object) -> None:
    """Switch proctoring on."""
    given = {"every_s": 30, "most_bytes": 12288, "identity": True, "screen": False, "keep_days": 90} | facts
    names = ", ".join(given)
    marks = ", ".join(f"${number}" for number in range(2, len(given) + 2))
    await db.execute(f"insert into sitting_watch (sitting_id, {names}) values ($1, {marks})", sitting, *given.values())


async def watched_sitting(stack: Stack, db: Db, owner_url: str, pupils: int = 2, **facts: object) -> Scene:
    """A published sitting that is proctored."""
    scene = await make_sitting(stack, owner_url, pupils=pupils)
    await watch(db, scene.sitting, **facts)
    return scene


class Phone:
    """What a candidate's phone sends to the ingest."""

    def __init__(
        self,
        stack: Stack,
        attempt: int,
        sitting: int,
        base: str = "",
        client: httpx.AsyncClient | None = None,
        **claims: int,
    ) -> None:
        self.base = base or f"http://127.0.0.1:{stack.home.ports.pictures}"
        now_s = int(time.time())
        self.attempt, self.sitting = attempt, sitting
        given = {"opens_s": now_s - 60, "expires_s": now_s + 3600} | claims
        keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
        self.token = PictureTokens(keys).sign(PictureClaims(attempt=attempt, sitting=sitting, **given))
        self.n = 0
        # Plain HTTP: a thousand phones would each read the certificates of the whole world first.
        self.client = client or httpx.AsyncClient(timeout=30, verify=False)

    async def send(
        self,
        body: bytes | None = None,
        *,
        n: int = 0,
        at: int = 0,
        kind: str = "snapshot",
        token: str = "",
        **headers: str,
    ) -> httpx.Response:
        """POST one picture."""
        if not n:
            self.n += 1
            n = self.n
        body = picture(n) if body is None else body
        return await self.client.post(
            f"{self.base}/v1/pictures?n={n}&at={at or now_ms()}&kind={kind}",
            content=body,
            headers={"authorization": f"Bearer {token or self.token}", "content-type": "image/webp"} | headers,
        )

    async def tell(self, *events: dict[str, Any]) -> httpx.Response:
        """POST events."""
        return await self.client.post(
            f"{self.base}/v1/watch",
            content=json.dumps({"events": list(events)}),
            headers={"authorization": f"Bearer {self.token}"},
        )


async def consented(db: Db, phone: Phone) -> tuple[int, int, int]:
    """A child of the registry who agreed to the camera: the consent, who wrote it down, the person."""
    person = await db.fetchval(
        """
        insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
        select 'Серікова', 'Аружан', 'x', 'x', '2013-05-05', 'kk', min(code) from region
        returning id
        """
    )
    staff = await db.fetchval("select min(id) from staff") or await db.fetchval(
        "insert into staff (login, full_name, password_hash) values ('writer', 'Writer', 'x') returning id"
    )
    await db.execute("update participant set person_id = $2 where id = $1", phone.attempt, person)
    consent = await db.fetchval(
        """
        insert into consent
            (person_id, purpose, given_by, relation, text_version, language, channel, given_on, recorded_by)
        values ($1, 'camera', 'Мама', 'mother', '1', 'kk', 'paper', current_date, $2) returning id
        """,
        *(person, staff),
    )
    return consent, staff, person
