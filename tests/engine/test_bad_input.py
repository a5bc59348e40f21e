"""Bad input at the door: a problem that says which, and nothing stored; or stored and marked, as DESIGN says."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from engine.protocol import Kind, Mark
from engine.tokens import Claims, Tokens
from infra.local import decode_key
from tests.support.engines import another_engine
from tests.support.pupil import Pupil, Refused, Reply
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

    Db = asyncpg.Connection[asyncpg.Record]


async def refusal(pupil: Pupil, body: object, path: str = "/v1/save", **headers: str) -> Refused:
    """The problem that this body meets."""
    with pytest.raises(Refused) as caught:
        await pupil.call("POST", path, body, **headers)
    return caught.value


async def stored(db: Db, attempt: int) -> int:
    """How many events of an attempt are in Postgres."""
    return await db.fetchval("select count(*) from response_event where attempt_id = $1", attempt)


async def test_what_has_no_meaning_is_refused_whole_and_nothing_is_stored(begin: Begin, db: Db) -> None:
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    pupil.answer(item, 1)
    good = pupil.batch()
    text = json.dumps(good).encode()
    deep = text.replace(b'"value": 1', b'"value": ' + b"[" * 5000 + b"]" * 5000)
    cases: list[tuple[object, int, str]] = [
        (text[:-9], 400, "body-truncated"),
        (b"", 400, "body-truncated"),
        (b"[]", 400, "body-invalid"),
        (b"\xff\xfe\x00", 400, "body-invalid"),
        ({**good, "surprise": 1}, 400, "body-invalid"),
        ({**good, "attempt": pupil.attempt + 1}, 403, "attempt-foreign"),
        ({**good, "events": [good["events"][0], {**good["events"][0]}]}, 400, "seq-not-ascending"),
        ({**good, "events": [{"seq": n, "kind": "view", "item": 1} for n in range(1, 202)]}, 400, "too-many-events"),
        (b" " * 70_000, 413, "body-too-large"),
        (b"x" * 10_000_000, 413, "body-too-large"),
        (deep, 400, "too-deep"),
    ]
    for body, status, code in cases:
        problem = await refusal(pupil, body)
        assert (problem.status, problem.problem["code"]) == (status, code), body if len(str(body)) < 400 else code
        assert problem.problem["title"]
        assert problem.headers["content-type"] == "application/problem+json"
    await pupil.save_until_durable()
    assert await stored(db, pupil.attempt) == 1


async def test_a_wrong_token_is_rejected_and_an_expired_one_still_saves(begin: Begin, stack: Stack, db: Db) -> None:
    """Nothing an honest child did is refused for good: save, and only save, takes an expired token (rule 7)."""
    scene, pupil = await begin()
    pupil.note("view", next(iter(scene.items.values())))
    body = pupil.batch()
    good = pupil.token
    for token in ("-", good[:-1], good[:20] + ("A" if good[20] != "A" else "B") + good[21:], "x" * 96):
        problem = await refusal(pupil, body, authorization=f"Bearer {token}")
        assert problem.problem["code"] == "token-rejected"
    tokens = Tokens({int(number): decode_key(key) for number, key in stack.secrets.token_keys.items()})
    expired = tokens.sign(Claims(pupil.attempt, scene.sitting, 0, 1_000_000_000, 0, 0, bytes.fromhex(pupil.device)))
    assert (await refusal(pupil, None, "/v1/key", authorization=f"Bearer {expired}")).status == 401
    problem = await refusal(pupil, {"device": pupil.device}, "/v1/resume", authorization=f"Bearer {expired}")
    assert problem.status == 401
    pupil.token = expired
    await pupil.save_until_durable()
    assert await stored(db, pupil.attempt) == 1


async def test_one_bad_event_does_not_hold_up_the_others(begin: Begin, db: Db) -> None:
    """What Postgres could not hold is refused by its seq before any acknowledgement; the rest is stored."""
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    bad: dict[int, tuple[str, Reply]] = {
        2: ("value-invalid", {"kind": "answer", "item": item, "value": "a\x00b"}),
        3: ("value-invalid", {"kind": "answer", "item": item, "value": "\ud800"}),
        4: ("value-too-long", {"kind": "answer", "item": item, "value": "ұ" * 3000}),
        5: ("kind-unknown", {"kind": "cheat", "item": item}),
        6: ("item-invalid", {"kind": "answer", "value": 1}),
        7: ("item-invalid", {"kind": "view", "item": 2**31}),
        8: ("value-invalid", {"kind": "answer", "item": item, "value": {"a": [1]}}),
        9: ("anchor-invalid", {"kind": "view", "item": item, "anchor": 7}),
        10: ("value-invalid", {"kind": "finish", "value": {"count": "many"}}),
        11: ("value-invalid", {"kind": "answer", "item": item}),
    }
    events = [{"seq": 1, "kind": "view", "item": item}, *({"seq": seq, **event} for seq, (_, event) in bad.items())]
    events.append({"seq": 12, "kind": "answer", "item": item, "value": "жақсы 😀"})
    reply = await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "events": events})
    assert {each["seq"]: each["code"] for each in reply["refused"]} == {seq: code for seq, (code, _) in bad.items()}
    assert reply["receipt"]
    await settled(pupil, reply["receipt"])
    rows = await db.fetch(
        "select seq, kind, value from response_event where attempt_id = $1 order by seq", pupil.attempt
    )
    held = [tuple(row) for row in rows]
    # Of a refused event only its number stays, so that it leaves no gap (rule 5).
    assert held == [(1, 2, None), *((seq, 14, None) for seq in bad), (12, 1, json.dumps("жақсы 😀"))]


async def settled(pupil: Pupil, receipt: str) -> None:
    """Wait until a receipt is durable."""
    from tests.support.waiting import eventually

    async def durable() -> None:
        reply = await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "events": [], "open": [receipt]})
        assert reply["open"] == ["durable"]

    await eventually(durable)


async def test_odd_but_honest_events_are_stored_and_marked(begin: Begin, db: Db) -> None:
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    now = pupil.now
    events = [
        {"seq": 1, "kind": "view", "item": item, "anchor": 0, "ms": 5},
        {"seq": 2, "kind": "answer", "item": 2**30, "value": 1, "anchor": 0, "ms": 5},
        {"seq": 3, "kind": "view", "item": item, "anchor": 1, "ms": 5},
        {"seq": 4, "kind": "view", "item": item, "anchor": 0, "ms": 86_400_000},
    ]
    forged = f"{int(now.split('.')[0]) - 3_600_000}.{'A' * 12}"
    reply = await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "clock": [now, forged], "events": events})
    assert "refused" not in reply
    await settled(pupil, reply["receipt"])
    rows = await db.fetch("select seq, marks from response_event where attempt_id = $1 order by seq", pupil.attempt)
    assert {row["seq"]: Mark(row["marks"]) for row in rows} == {
        1: Mark(0),
        2: Mark.UNKNOWN_ITEM,
        3: Mark.ANCHOR_UNVERIFIED,
        4: Mark.CLOCK_AHEAD,
    }


async def test_the_same_seq_with_another_answer_is_kept_as_a_conflict(begin: Begin, db: Db) -> None:
    """Acknowledged, kept beside the first, counted; sent again it stays one conflict (rule 3)."""
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    for value in (1, 2, 2, 1):
        event = {"seq": 1, "kind": "answer", "item": item, "value": value}
        reply = await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "events": [event]})
        await settled(pupil, reply["receipt"])
    stands = await db.fetch("select value from response_event where attempt_id = $1", pupil.attempt)
    conflicts = await db.fetch("select value from response_conflict where attempt_id = $1", pupil.attempt)
    assert [row["value"] for row in stands] == ["1"]
    assert [row["value"] for row in conflicts] == ["2"]


async def test_sign_in_tells_what_is_wrong_and_locks_after_three_misses(begin: Begin, db: Db) -> None:
    _, pupil = await begin(key=False)
    seat = pupil.seat
    body = {"code": seat.code, "day": seat.day, "month": seat.month, "device": secrets.token_hex(16)}
    wrong_check = seat.code[:-1] + ("0" if seat.code[-1] != "0" else "1")
    for change, status, code in (
        ({"code": wrong_check}, 400, "code-malformed"),
        ({"device": "short"}, 400, "body-invalid"),
        ({"month": 13}, 400, "body-invalid"),
        ({"agent": "android\0chrome"}, 400, "body-invalid"),
    ):
        problem = await refusal(pupil, body | change, "/v1/sign-in")
        assert (problem.status, problem.problem["code"]) == (status, code)
    for left in (2, 1):
        problem = await refusal(pupil, body | {"day": 2}, "/v1/sign-in")
        assert (problem.status, problem.problem["code"], problem.problem["tries_left"]) == (401, "birth-mismatch", left)
    problem = await refusal(pupil, body | {"day": 2}, "/v1/sign-in")
    assert (problem.status, problem.problem["code"]) == (423, "code-locked")
    assert problem.problem["help"]["phone"] == "+7 700 000 00 11"

    from tests.support.waiting import eventually

    async def locked_everywhere() -> None:
        assert await db.fetchval("select locked_at is not null from participant where id = $1", seat.attempt)
        for _ in range(4):
            assert (await refusal(pupil, body, "/v1/sign-in")).problem["code"] == "code-locked"

    await eventually(locked_everywhere, every_s=0.5)
    await db.execute("update participant set locked_at = null, birth_misses = 0 where id = $1", seat.attempt)
    await eventually(pupil.sign_in, every_s=1)


async def test_a_burst_of_birthdays_is_three_misses_as_well(begin: Begin, stack: Stack) -> None:
    """All guesses are on their way before the first is counted, the right one last: it finds the code locked."""
    _, pupil = await begin(key=False)
    seat = pupil.seat
    body = {"code": seat.code, "month": seat.month, "device": secrets.token_hex(16)}
    async with another_engine(stack, {}, workers=1) as url:
        address = urlsplit(url)
        lines = [await asyncio.open_connection(address.hostname, address.port) for _ in range(15)]
        for at, (_, writer) in enumerate(lines):
            day = seat.day if at == 14 else 1 + (seat.day + at) % 28
            content = json.dumps(body | {"day": day}).encode()
            head = (
                f"POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            writer.write(head.encode() + content[:-1])
            await writer.drain()
        for _, writer in lines:
            writer.write(b"}")
        answers = [await reader.read() for reader, _ in lines]
        for _, writer in lines:
            writer.close()
    codes = [json.loads(answer.partition(b"\r\n\r\n")[2]).get("code", "signed in") for answer in answers]
    assert sorted(codes) == ["birth-mismatch"] * 2 + ["code-locked"] * 13


async def test_unknown_addresses_and_methods_are_problems_too(service: str, begin: Begin) -> None:
    _, pupil = await begin(key=False)
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/v1/save", 405, "method-not-allowed"),
        ("GET", f"/v1/bundles/{'0' * 64}", 404, "bundle-unknown"),
        ("GET", "/../secrets.json", 404, "not-found"),
    ):
        with pytest.raises(Refused) as caught:
            await pupil.call(method, path)
        assert (caught.value.status, caught.value.problem["code"]) == (status, code), service


async def test_a_value_where_none_belongs_is_refused_and_the_others_are_stored(begin: Begin, db: Db) -> None:
    """Whatever it is, also on events that take none; nothing of it is kept."""
    scene, pupil = await begin()
    item = next(iter(scene.items.values()))
    values = ([[1, [2, [3]]]], {"a": {"b": []}}, 1, "", None, [])
    kinds = ("view", "mark", "unmark", "blur", "focus")
    odd = [(kind, value) for kind in kinds for value in values]
    events = [{"seq": n, "kind": kind, "item": item, "value": value} for n, (kind, value) in enumerate(odd, 1)]
    # And where one belongs: too deep, and none at all.
    events += [
        {"seq": len(events) + 1, "kind": "answer", "item": item, "value": [[1]]},
        {"seq": len(events) + 2, "kind": "answer", "item": item},
    ]
    good = {"seq": len(events) + 1, "kind": "view", "item": item}
    reply = await pupil.call("POST", "/v1/save", {"attempt": pupil.attempt, "events": [*events, good]})
    assert reply["refused"] == [{"seq": event["seq"], "code": "value-invalid"} for event in events]

    async def kept() -> None:
        rows = await db.fetch(
            "select seq, value from response_event where attempt_id = $1 and kind = $2", pupil.attempt, Kind.VIEW
        )
        assert [tuple(row) for row in rows] == [(good["seq"], None)]

    await eventually(kept)
