"""SAFETY D4: a leaked screenshot names its source, and neighbours share no order."""

from __future__ import annotations

import json
import math
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.bundles.manifest import BundleGap, BundleItem, BundleOption, SectionText
from engine.order import attempt_seed, draw_order, sfc32, shuffle
from engine.trace import Screen, trace
from infra.local import decode_key, environment
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

VECTORS = json.loads((Path(__file__).parents[2] / "engine/player/vectors/order.json").read_text())
KEY = secrets.token_bytes(32)
NATION = range(1, 300_001)


def test_orders_are_those_of_the_player() -> None:
    """The vectors are shared with the player's own tests: one algorithm in two languages."""
    sections = msgspec.convert(VECTORS["input"], list[SectionText])
    for vector in VECTORS["seeds"]:
        seed = bytes.fromhex(vector["seed"])
        draw = sfc32(seed)
        assert [draw() for _ in range(8)] == vector["first"]
        assert shuffle(range(10), sfc32(seed)) == vector["shuffle"]
        told = [
            {
                "section": section.section,
                "items": [
                    {
                        "id": item.id,
                        "options": [option.id for option in item.options or []],
                        "gaps": [[option.id for option in gap.options] for gap in item.gaps or []],
                    }
                    for item in section.items
                ],
            }
            for section in draw_order(sections, seed)
        ]
        assert told == vector["sections"]


async def test_the_engine_gives_the_seed_that_the_tracer_knows(stack: Stack, service: str, owner_url: str) -> None:
    scene = await make_sitting(stack, owner_url)
    pupil = Pupil(service, scene.seats[0])
    await eventually(pupil.sign_in)
    await eventually(pupil.start)
    key = decode_key(stack.secrets.order_key)
    assert pupil.keys["seed"] == attempt_seed(key, scene.sitting, pupil.attempt).hex()


def thirty() -> list[SectionText]:
    """A test of thirty items of four options in one section, as Myń Bala's."""
    items = [
        BundleItem(id=number, kind="single", prompt="", options=[BundleOption(id=10 * number + n) for n in range(4)])
        for number in range(1, 31)
    ]
    return [SectionText(section=1, language="kk", title="", items=items)]


def leak(sections: list[SectionText], attempt: int, places: list[int]) -> list[Screen]:
    """Screenshots of an attempt's questions at these numbers."""
    shown = [item for section in draw_order(sections, attempt_seed(KEY, 3, attempt)) for item in section.items]
    return [
        Screen(
            item=shown[place - 1].id,
            question=place,
            options=tuple(option.id for option in shown[place - 1].options or []) or None,
        )
        for place in places
    ]


@pytest.mark.slow
def test_two_screenshots_name_one_pupil_of_a_nation() -> None:
    sections, culprit = thirty(), 214_683
    sizes: dict[int, int] = {}
    for count, most in ((1, 520), (2, 6), (5, 1)):
        began = time.monotonic()
        found = trace(sections, leak(sections, culprit, list(range(3, 3 + count))), KEY, 3, NATION)
        assert time.monotonic() - began < 20
        assert culprit in found.attempts
        assert len(found.attempts) <= most
        # 1 of 30 places × 24 orders a screen.
        assert found.by_chance == pytest.approx(300_000 / 720**count)
        sizes[count] = len(found.attempts)
    print(f"candidates of 300 000 after 1, 2, 5 screens: {sizes}")
    # One screen leaves 300 000 / 720 ≈ 417, give or take five times its square root.
    assert abs(sizes[1] - 300_000 / 720) < 5 * math.sqrt(300_000 / 720)
    assert sizes[5] == 1


def test_five_orders_of_options_alone_name_one_pupil() -> None:
    """The numbers of the questions were cut off: 24⁵ is still eight million cases."""
    sections, culprit = thirty(), 12_345
    screens = [msgspec.structs.replace(screen, question=0) for screen in leak(sections, culprit, [1, 2, 3, 4, 5])]
    assert trace(sections, screens, KEY, 3, range(1, 30_001)).attempts == [culprit]


def test_the_search_agrees_with_the_player_s_order_whatever_the_form() -> None:
    """Groups, gaps, fixed orders, items without options, several sections: the same as drawing each attempt alone."""
    options = [BundleOption(id=number) for number in range(4)]
    gaps = [BundleGap(id="g1", options=options[:3]), BundleGap(id="g2", options=options)]
    items = [
        BundleItem(id=1, kind="single", prompt="", options=options, group=7),
        BundleItem(id=2, kind="numeric", prompt=""),
        BundleItem(id=3, kind="dropdown", prompt="", gaps=gaps),
        BundleItem(id=4, kind="single", prompt="", options=options, group=7),
        BundleItem(id=5, kind="single", prompt="", options=options, fixed_order=True),
        BundleItem(id=6, kind="multiple", prompt="", options=options),
    ]
    second = [msgspec.structs.replace(item, id=item.id + 10) for item in items]
    sections = [
        SectionText(section=2, language="kk", title="", items=second),
        SectionText(section=1, language="kk", title="", items=items),
    ]
    attempts = range(1, 2001)
    for _ in range(8):
        culprit, place = random.choice(attempts), random.randint(1, 12)
        (screen,) = leak(sections, culprit, [place])
        expected = [attempt for attempt in attempts if leak(sections, attempt, [place]) == [screen]]
        assert trace(sections, [screen], KEY, 3, attempts).attempts == expected
        assert culprit in expected


def test_neighbours_share_an_order_no_more_than_by_chance() -> None:
    """10 000 consecutive attempts: of 9 999 pairs one in thirty has the same first question, one in 24 its order."""
    sections = thirty()
    first: list[int] = []
    orders: list[tuple[int, ...]] = []
    whole: Counter[tuple[int, ...]] = Counter()
    for attempt in range(50_000, 60_000):
        shown = draw_order(sections, attempt_seed(KEY, 3, attempt))[0].items
        first.append(shown[0].id)
        item = next(each for each in shown if each.id == 1)
        orders.append(tuple(option.id for option in item.options or []))
        whole[tuple(each.id for each in shown)] += 1
    assert max(whole.values()) == 1
    for values, cases in ((first, 30), (orders, 24)):
        for distance in (1, 2, 100):
            pairs = len(values) - distance
            same = sum(one == other for one, other in zip(values, values[distance:], strict=False))
            # Five standard deviations: a false alarm in a million runs.
            assert abs(same - pairs / cases) < 5 * math.sqrt(pairs / cases)


async def test_the_command_finds_a_pupil_by_his_screens(stack: Stack, owner_url: str) -> None:
    """From the seed that the engine gives and the ids of the packing back to the author's letters, and to the attempt."""
    scene = await make_sitting(stack, owner_url, pupils=12)
    culprit = scene.seats[7].attempt
    stored = [
        BundleItem(
            id=number,
            kind="single",
            prompt="",
            options=[BundleOption(id=n) for n in sorted(scene.options[code].values())],
        )
        for code, number in scene.items.items()
    ]
    section = SectionText(section=1, language="kk", title="", items=stored)
    shown = draw_order([section], attempt_seed(decode_key(stack.secrets.order_key), scene.sitting, culprit))[0].items
    words: list[str] = []
    for place, item in enumerate(shown[:3], 1):
        code = next(code for code, number in scene.items.items() if number == item.id)
        letters = {number: letter for letter, number in scene.options[code].items()}
        order = ",".join(letters[option.id] for option in item.options or [])
        words += ["--question", str(place), "--item", code, "--options", order]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "infra", "trace", str(scene.sitting), *more]
        environ = environment(stack.home, "trace")
        return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=60)

    done = run(*words)
    assert done.stdout.splitlines()[1:] == [f"  {culprit}"], done.stderr
    for wrong in (
        ["--item", "M99"],
        ["--item", "M01", "--options", "A,B"],
        ["--item", "M01", "--item", "M02", "--question", "1"],
    ):
        failed = run(*wrong)
        assert (failed.returncode, failed.stderr.count("\n")) == (1, 1), failed.stderr
