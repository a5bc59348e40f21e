"""Whose file it is, the engine says: it alone holds the token keys."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from portal.features.rescue.problems import EngineSilent
from portal.features.rescue.routes import token_holds
from portal.features.rescue.structs import FileEvent, Payload
from tests.support.sittings import make_sitting

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop


def test_only_the_attempts_own_token_proves_it(stack: Stack, service: str, owner_url: str, loop: Loop) -> None:
    """Another pupil's token, an altered one, and none are no proof; a silent engine is no verdict."""
    scene = loop.run(make_sitting(stack, owner_url), 60)
    tokens = []
    for seat in scene.seats[:2]:
        body = {"code": seat.code, "day": seat.day, "month": seat.month, "device": uuid.uuid4().hex}
        limit = time.monotonic() + 20
        while (answer := httpx.post(f"{service}/v1/sign-in", json=body)).status_code != 200:
            assert time.monotonic() < limit, answer.text
            time.sleep(0.2)
        tokens.append(answer.json()["token"])

    def payload(token: str) -> Payload:
        events = [FileEvent(seq=1, kind="blur")]
        return Payload(attempt=scene.seats[0].attempt, device=uuid.uuid4().hex, token=token, events=events, chain="")

    assert token_holds(service, payload(tokens[0]))
    assert not token_holds(service, payload(tokens[1]))
    assert not token_holds(service, payload(tokens[0][:-4] + "AAAA"))
    assert not token_holds(service, payload(""))
    with pytest.raises(EngineSilent):
        token_holds("http://127.0.0.1:9", payload(tokens[0]))
