"""Right and wrong answers as simulated pupils send them: authored letters become the ids of the packed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from loadtest.scenario import PlayItem
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, TextRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.bundles.pack import MappedItem
    from portal.demo.structs import Form, Item

# By points: an item of one point is easy, one of three hard; within these the place in the form spreads them.
DIFFICULTY = {1: -1.1, 2: 0.1, 3: 1.2}
THINK_S = {"single": 50, "picture": 55, "multiple": 70, "dropdown": 75, "numeric": 85, "short_text": 60}


def play_items(form: Form, item_map: Mapping[str, MappedItem]) -> list[PlayItem]:
    """The items of a form for the simulation."""
    made: list[PlayItem] = []
    for place, item in enumerate(form.items):
        right, wrong = _answers(item, item_map[item.code])
        options = len(item.content.options)
        made.append(
            PlayItem(
                id=item_map[item.code].id,
                difficulty=DIFFICULTY.get(item.points, 1.2) + 0.7 * (place / len(form.items) - 0.5),
                guess=1 / options if item.content.kind in {"single", "picture"} else 0.02,
                median_s=THINK_S[item.content.kind] * (0.8 + 0.2 * item.points),
                right=_raw(right),
                wrong=[_raw(answer) for answer in wrong],
            )
        )
    return made


def _raw(answer: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(answer))


def _answers(item: Item, mapped: MappedItem) -> tuple[object, list[object]]:
    ids = mapped.options
    match item.rule:
        case ChoiceRule(right=right):
            return ids[right[0]], [number for letter, number in ids.items() if letter not in right]
        case ChoicesRule(right=right):
            chosen = [ids[letter] for letter in right]
            others = [number for letter, number in ids.items() if letter not in right]
            return chosen, [[*chosen[:-1], others[0]], chosen[:1], [others[-1]]]
        case GapsRule(right=right):
            return _gaps(right, mapped)
        case NumericRule(value=value):
            number = float(value)
            return value.replace(".", ","), [f"{number + step:g}".replace(".", ",") for step in (1, -1, 10, number)]
        case TextRule(accept=accept):
            return accept[0], ["білмеймін", accept[0][:-2] or "а", "жауабы жоқ"]


def _gaps(right: Mapping[str, str], mapped: MappedItem) -> tuple[object, list[object]]:
    chosen: dict[str, int] = {}
    wrong: list[object] = []
    for gap, letter in right.items():
        options = mapped.options[gap]
        assert isinstance(options, dict)
        chosen[gap] = options[letter]
    for gap, letter in right.items():
        options = mapped.options[gap]
        assert isinstance(options, dict)
        wrong += [{**chosen, gap: number} for other, number in options.items() if other != letter]
    return chosen, wrong
