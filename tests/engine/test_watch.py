"""Who is told to send pictures: a pupil of a proctored sitting whose camera consent holds, and nobody else (SAFETY R1, P6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from infra.local import decode_key, load_secrets
from infra.picture_tokens import PictureTokens, device_mark
from tests.support.camera_consent import give_camera, known_person, withdraw_camera
from tests.support.pupil import Pupil
from tests.support.waiting import eventually
from tests.support.watched import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


HOW = {"every_s": 20, "most_bytes": 8192, "keep_days": 30}


@pytest.fixture
def tokens(stack: Stack) -> PictureTokens:
    """What the ingest verifies with."""
    keys = load_secrets(stack.home).picture_token_keys
    return PictureTokens({int(number): decode_key(key) for number, key in keys.items()})


async def test_a_pupil_with_a_consent_gets_a_token_for_his_own_pictures(
    begin: Begin, db: Db, tokens: PictureTokens
) -> None:
    scene, pupil = await begin(key=False)
    await watch(db, scene.sitting, **HOW)
    person = await known_person(db, pupil.attempt)
    await give_camera(db, person)
    told = await told_when(pupil, lambda one: one is not None)
    assert {name: told[name] for name in told if name not in {"url", "token"}} == HOW | {
        "identity": True,
        "screen": False,
    }
    assert told["url"].startswith("http")
    claims = tokens.verify(told["token"])
    assert claims is not None
    assert (claims.attempt, claims.sitting) == (pupil.attempt, scene.sitting)
    assert claims.opens_s < claims.expires_s
    # It saves nothing: an answer's key is another one (SAFETY D5).
    later = (await pupil.start())["watch"]
    assert later["url"] == told["url"]
    # Each is for this device: who loses the attempt sends nothing more into it.
    again = tokens.verify(later["token"])
    assert again is not None
    assert claims.device == again.device == device_mark(bytes.fromhex(pupil.device))
    pupil.token = told["token"]
    with pytest.raises(Exception, match="token-rejected"):
        await pupil.call("POST", "/v1/resume", {"device": pupil.device})


async def test_without_a_watch_or_a_consent_no_camera_is_asked_for(begin: Begin, db: Db) -> None:
    scene, pupil = await begin(key=False)
    person = await known_person(db, pupil.attempt)
    await give_camera(db, person)
    assert (await pupil.sign_in())["watch"] is None
    await watch(db, scene.sitting, **HOW)
    await told_when(pupil, lambda one: one is not None)
    other = Pupil(pupil.base_url, scene.seats[1])
    assert (await other.sign_in())["watch"] is None
    assert (await other.start())["watch"] is None


async def test_a_withdrawn_or_ended_consent_is_heard_of_at_once(begin: Begin, db: Db) -> None:
    scene, pupil = await begin(key=False)
    await watch(db, scene.sitting, **HOW)
    person = await known_person(db, pupil.attempt)
    await give_camera(db, person)
    await told_when(pupil, lambda one: one is not None)
    await withdraw_camera(db, person)
    await told_when(pupil, lambda one: one is None)
    await db.execute(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on, ends_on)
        values ($1, 'camera', 'Анасы', 'mother', '1', 'kk', 'paper', current_date - 9, current_date - 3)
        """,
        person,
    )
    assert (await pupil.sign_in())["watch"] is None
    await give_camera(db, person)
    await told_when(pupil, lambda one: one is not None)


async def told_when(pupil: Pupil, fits: Callable[[Any], bool]) -> Any:
    """What a sign-in says of the camera, as soon as every worker has heard; seldom, for a code has twenty tries a minute."""

    async def asked() -> Any:
        said = (await pupil.sign_in())["watch"]
        assert fits(said), said
        return said

    await eventually(asked, every_s=1)
    # The other worker reads within the same two seconds.
    await asyncio.sleep(2)
    return await asked()


async def test_the_page_may_speak_with_the_ingest_and_with_nobody_else(stack: Stack, service: str) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        policy = (await client.get(service)).headers["content-security-policy"]
    (connect,) = (part.strip() for part in policy.split(";") if part.strip().startswith("connect-src"))
    home = stack.home
    ours = [f"http://{home.address}:{port}" for port in (home.ports.pictures, home.ports.live)]
    assert connect == f"connect-src 'self' {' '.join(ours)}"
    assert "unsafe" not in policy
