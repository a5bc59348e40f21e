"""Codes, tokens, signed times, receipts: what a forger or a slip of the finger meets."""

from __future__ import annotations

import asyncio
import secrets

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.codes import ALPHABET, draw_code, hash_code, normalise_code, show_code
from engine.group_read import GroupRead
from engine.memory import keep_newest
from engine.receipts import receipt_code
from engine.tokens import Claims, SignedTimes, Tokens

CLAIMS = Claims(4711, 3, 0, 2_000_000_000, 0, 0, bytes(range(16)))


@given(st.integers(0, 11), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_of_a_code_shows(place: int, letter: str) -> None:
    code = draw_code()
    wrong = code[:place] + letter + code[place + 1 :]
    assert (normalise_code(wrong) is None) == (wrong != code)


def test_a_code_is_read_as_people_write_it() -> None:
    code = "0" * 11 + "0"
    assert normalise_code("oooo-0000 o0o0") == code
    # On a Kazakh or Russian keyboard: «о» in Cyrillic.
    assert normalise_code("оооо 0000 о0о0") == code
    drawn = draw_code()
    assert normalise_code(show_code(drawn).lower()) == drawn


def test_codes_do_not_repeat_and_their_hash_needs_the_pepper() -> None:
    codes = {draw_code() for _ in range(2000)}
    assert len(codes) == 2000
    code = codes.pop()
    assert hash_code(code, b"a" * 32) != hash_code(code, b"b" * 32)


@given(st.binary(min_size=1, max_size=4), st.integers(0, 95))
def test_an_altered_token_is_rejected(noise: bytes, place: int) -> None:
    tokens = Tokens({1: b"k" * 32})
    token = tokens.sign(CLAIMS)
    altered = token[:place] + noise.hex()[:1] + token[place + 1 :]
    assert (tokens.verify(f"Bearer {altered}") == CLAIMS) == (altered == token)


def test_a_rotation_refuses_nobody_and_a_dropped_key_rejects() -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    token = Tokens({1: old}).sign(CLAIMS)
    assert Tokens({1: old, 2: new}).verify(f"Bearer {token}") == CLAIMS
    assert Tokens({2: new}).verify(f"Bearer {token}") is None


@given(st.lists(st.integers(0, 50)), st.integers(0, 20))
def test_a_memory_that_is_full_forgets_the_oldest_alone(seen: list[int], most: int) -> None:
    memory = dict.fromkeys(seen, "known")
    order = list(memory)
    keep_newest(memory, most)
    assert list(memory) == order[max(0, len(order) - most) :]


def test_a_token_that_was_forgotten_is_genuine_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nation larger than the memory of tokens: nobody is refused, and the newest are still known by heart."""
    monkeypatch.setattr("engine.tokens.REMEMBERED", 1)
    tokens = Tokens({1: b"k" * 32})
    old, new = (tokens.sign(msgspec.structs.replace(CLAIMS, attempt=attempt)) for attempt in (1, 2))
    known = tokens.verify(f"Bearer {new}")
    tokens.forget()
    assert tokens.verify(f"Bearer {new}") is known
    found = tokens.verify(f"Bearer {old}")
    assert found is not None
    assert found.attempt == 1


@given(st.text(max_size=120))
def test_rubbish_is_no_token(text: str) -> None:
    assert Tokens({1: b"k" * 32}).verify(text) is None


@given(st.text(max_size=40), st.integers(0, 2**45))
def test_only_our_own_times_are_believed(text: str, now_ms: int) -> None:
    times = SignedTimes(b"t" * 32)
    assert times.verify(times.sign(now_ms)) == now_ms
    assert times.verify(text) is None
    assert times.verify(f"{now_ms}.{'A' * 12}") is None
    number, _, mac = times.sign(now_ms).partition(".")
    assert times.verify(f"{int(number) + 1}.{mac}") is None


def test_a_receipt_belongs_to_one_attempt_and_one_content() -> None:
    code = receipt_code(b"r" * 32, 1, 10, b"d" * 32)
    assert len(code) == 9
    assert code != receipt_code(b"r" * 32, 2, 10, b"d" * 32)
    assert code != receipt_code(b"r" * 32, 1, 11, b"d" * 32)
    assert code != receipt_code(b"r" * 32, 1, 10, b"e" * 32)


async def test_who_asks_together_is_read_together_and_hears_his_own() -> None:
    """Two hundred at a time, and a failure of one reading is not the end of the next."""
    loads: list[list[int]] = []

    async def load(keys: list[int]) -> dict[int, int]:
        loads.append(keys)
        await asyncio.sleep(0.01)
        if 404 in keys:
            raise OSError("away")
        return {key: key * 2 for key in keys}

    reads = GroupRead(load, at_once=2)
    values = await asyncio.gather(*(reads.get(key) for key in range(300)), reads.get(7))
    assert values == [*(key * 2 for key in range(300)), 14]
    assert [len(keys) for keys in loads] == [200, 100]
    heard = await asyncio.gather(reads.get(404), reads.get(1), return_exceptions=True)
    assert [type(each) for each in heard] == [OSError, OSError]
    assert await reads.get(1) == 2
