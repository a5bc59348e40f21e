"""Keys are changed while pupils write: at no step is one sent away (docs/operations/secrets.md); expired tokens open nothing."""

from __future__ import annotations

import binascii
import json
import time
from typing import TYPE_CHECKING

from engine.codes import draw_code, hash_code
from engine.tokens import Claims, SignedTimes, Tokens
from infra.local import decode_key, draw_key
from tests.engine.conftest import begin, db  # noqa: F401 (fixtures)
from tests.support.engines import another_engine
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


def signed_with(token: str) -> int:
    """Number of the key that a token is of."""
    return binascii.a2b_base64(token)[0]


async def test_two_live_keys_of_tokens_times_and_codes(stack: Stack, owner_url: str, service: str, db: Db) -> None:  # noqa: F811
    """One engine signs with the old ones still, the other with the new: a pupil may meet either with every request."""
    secret = stack.secrets
    old = int(max(secret.token_keys))
    keys = json.dumps(secret.token_keys | {str(old + 1): draw_key()})
    time_key, pepper = draw_key(), draw_key()
    before = {"ELUMITI_OTHER_TIME_KEY": time_key, "ELUMITI_OTHER_CODE_PEPPER": pepper}
    before |= {"ELUMITI_TOKEN_KEYS": keys, "ELUMITI_SIGNS_WITH": str(old)}
    after = {"ELUMITI_TIME_KEY": time_key, "ELUMITI_OTHER_TIME_KEY": secret.time_key}
    after |= {
        "ELUMITI_CODE_PEPPER": pepper,
        "ELUMITI_OTHER_CODE_PEPPER": secret.code_pepper,
        "ELUMITI_TOKEN_KEYS": keys,
    }
    scene = await make_sitting(stack, owner_url, pupils=4)
    code = draw_code()
    await db.execute(
        "update participant set code_hash = $2 where id = $1",
        *(scene.seats[1].attempt, hash_code(code, decode_key(pepper))),
    )
    item = next(iter(scene.items.values()))
    async with another_engine(stack, before, workers=1) as one, another_engine(stack, after, workers=1) as other:
        # A slip of either pepper opens either engine.
        for url, number in ((one, old), (other, old + 1)):
            for seat_code, seat in ((scene.seats[0].code, scene.seats[0]), (code, scene.seats[1])):
                pupil = Pupil(url, seat)
                await eventually(lambda p=pupil, c=seat_code: p.sign_in(code=c))
                assert signed_with(pupil.token) == number
        # A token and a time of either are good at the other, and at the pupil's next save.
        for first, second, seat in ((one, other, scene.seats[2]), (other, one, scene.seats[3])):
            pupil = Pupil(first, seat)
            await pupil.sign_in()
            pupil.base_url = second
            await eventually(pupil.start)
            pupil.answer(item, 1)
            pupil.base_url = first
            await pupil.save_until_durable()
            marks = await db.fetchval(
                "select marks from response_event where attempt_id = $1 and device = $2::text::uuid",
                *(pupil.attempt, pupil.device),
            )
            assert marks == 0, "the signed time of the other engine was verified"


async def test_an_expired_token_saves_and_opens_nothing(begin: Begin, stack: Stack) -> None:  # noqa: F811
    """To the second: a token holds until its time, and then for what is owed alone (rule 7)."""
    scene, pupil = await begin(key=False)
    tokens = Tokens({int(number): decode_key(key) for number, key in stack.secrets.token_keys.items()})
    device = bytes.fromhex(pupil.device)

    def until(expires_s: float) -> str:
        return tokens.sign(Claims(pupil.attempt, scene.sitting, 0, int(expires_s), 0, 0, device))

    body = {"device": pupil.device}
    pupil.token = until(time.time() + 60)
    await eventually(lambda: pupil.call("POST", "/v1/key"))
    await pupil.call("POST", "/v1/resume", body)
    for expired in (until(time.time() - 2), until(0), until(time.time() - 10 * 365 * 86_400)):
        pupil.token = expired
        await refused_as(lambda: pupil.call("POST", "/v1/key"), "token-rejected")
        await refused_as(lambda: pupil.call("POST", "/v1/resume", body), "token-rejected")
        assert "have" in await pupil.call("POST", "/v1/have", body)
        pupil.note("blur")
        await pupil.save_until_durable()


async def test_a_token_of_a_dropped_key_is_nothing(begin: Begin) -> None:  # noqa: F811
    """Whoever holds a stolen key that was dropped, or none, signs for nobody; nor does a number without a key."""
    scene, pupil = await begin(key=False)
    claims = Claims(pupil.attempt, scene.sitting, 0, int(time.time()) + 600, 0, 0, bytes.fromhex(pupil.device))
    for number in (1, 2, 255):
        pupil.token = Tokens({number: decode_key(draw_key())}).sign(claims)
        for path in ("/v1/save", "/v1/have", "/v1/key"):
            await refused_as(lambda p=path: pupil.call("POST", p, {"device": pupil.device}), "token-rejected")


def test_a_time_is_signed_by_one_key_and_holds_under_two() -> None:
    old, new = b"o" * 32, b"n" * 32
    said = SignedTimes(old).sign(1_764_057_600_123)
    assert SignedTimes(new, old).verify(said) == SignedTimes(old, new).verify(said) == 1_764_057_600_123
    assert SignedTimes(new).verify(said) is None
    assert SignedTimes(new, old).sign(5) == SignedTimes(new).sign(5)
