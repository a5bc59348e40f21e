"""The fuzzer's targets for a moment each (hypothesis), and every input of the corpus: no exception gets out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol import KINDS
from tests.fuzz import targets

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
brief = settings(max_examples=150, deadline=None, derandomize=True)

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["\x00", "\ud800", 2**31, -(2**63), 2**64, 10**30, 1e300, "ұ" * 2100]),
)
trees = st.recursive(
    odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
events = st.fixed_dictionaries(
    {"seq": st.integers(-1, 2**31) | odd, "kind": st.sampled_from([*KINDS, "refused", "cheat"]) | odd},
    optional={
        "item": st.sampled_from([7, 20817]) | odd,
        "value": trees,
        "anchor": st.integers(-1, 9) | odd,
        "ms": st.integers(-1, 2**31) | odd,
        "again": st.booleans() | odd,
        "more": odd,
    },
)
saves = st.fixed_dictionaries(
    {"attempt": st.integers() | odd, "events": st.lists(events, max_size=6) | trees},
    optional={
        "clock": st.lists(st.text(max_size=70) | st.just(targets.times.sign(targets.NOW_MS)) | odd, max_size=9) | odd,
        "open": st.lists(st.from_regex(r"\d{1,20}-\d{1,20}-\d{1,20}") | odd, max_size=17) | odd,
        "controls": odd,
        "generation": odd,
    },
)


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.__name__)
@given(data=st.binary(max_size=400))
@brief
def test_whatever_bytes_come_are_refused_or_read(target: Callable[[bytes], None], data: bytes) -> None:
    target(data)


@given(body=saves, cut=st.integers(0, 10_000))
@settings(brief, max_examples=600)
def test_a_save_of_nearly_the_right_shape_is_refused_or_can_be_kept(body: object, cut: int) -> None:
    """Half an emoji, numbers beyond 64 bits, kinds that are none, a body that ends too early."""
    text = json.dumps(body).encode()
    targets.save(text)
    targets.save(text[: cut % (len(text) + 1)])


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus(path: Path) -> None:
    """Starting points of the fuzzer, and what it once found."""
    targets.one_input(path.read_bytes())
