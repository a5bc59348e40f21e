"""The keys of the demo are right.

Each item that a program can solve is solved here from what the pupil sees.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise, permutations, product
from xml.etree import ElementTree as ET

import pytest

from portal.demo.content import load_form
from portal.demo.structs import Form, Item
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule

Cells = frozenset[tuple[int, int]]
FORMS = {"M": load_form("main"), "R": load_form("reserve")}


def form_of(code: str) -> Form:
    return FORMS[code[0]]


def item(code: str) -> Item:
    return next(item for item in form_of(code).items if item.code == code)


def key(code: str) -> str:
    """The text of the right option, in English."""
    rule = item(code).rule
    assert isinstance(rule, ChoiceRule)
    option = next(option for option in item(code).content.options if option.code in rule.right)
    assert option.text
    return option.text.en


def keys(code: str) -> set[str]:
    rule = item(code).rule
    assert isinstance(rule, ChoicesRule)
    return {option.text.en for option in item(code).content.options if option.code in rule.right and option.text}


def gap_keys(code: str) -> list[str]:
    rule = item(code).rule
    assert isinstance(rule, GapsRule)
    return [o.text.en for g in item(code).content.gaps for o in g.options if o.code == rule.right[g.code] and o.text]


def number(code: str) -> int:
    rule = item(code).rule
    assert isinstance(rule, NumericRule)
    return int(rule.value)


def table(code: str) -> dict[str, list[str]]:
    """The rows of the stimulus' table by their heading."""
    stimulus = item(code).content.stimulus
    assert stimulus
    rows = re.findall(r"<tr><th>([^<]*)</th>((?:<td>[^<]*</td>)+)</tr>", stimulus.en)
    return {head: re.findall(r"<td>([^<]*)</td>", cells) for head, cells in rows}


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def test_orderings() -> None:
    """M01, R01: every order that fits the clues has the same answer."""
    horses = {
        o
        for o in permutations(["Tulpar", "Kuren", "Boz", "Sunkar"])
        if o.index("Tulpar") < o.index("Kuren") < o.index("Boz") and o.index("Sunkar") < o.index("Tulpar")
    }
    assert {order[0] for order in horses} == {key("M01")}
    most_first = {
        o
        for o in permutations(["Dana", "Yerlan", "Marat", "Saniya"])
        if o.index("Dana") < o.index("Yerlan") < o.index("Saniya") and o.index("Marat") < o.index("Dana")
    }
    assert {order[-1] for order in most_first} == {key("R01")}


@pytest.mark.parametrize("code", ["M02", "R02"])
def test_number_patterns(code: str) -> None:
    """The differences of the differences are constant, so the next number follows."""
    shown = [int(n) for n in re.findall(r"\d+", item(code).content.prompt.en)]
    steps = [b - a for a, b in pairwise(shown)]
    second = {b - a for a, b in pairwise(steps)}
    assert len(second) == 1
    assert key(code) == str(shown[-1] + steps[-1] + second.pop())


def test_intervals() -> None:
    """M03: posts at 0, 3, … 24 m. R03: a log of n pieces takes n − 1 cuts."""
    assert number("M03") == len(range(0, 24 + 1, 3))
    assert number("R03") == (10 // 2 - 1) * 6


def test_true_and_false() -> None:
    """M04, R04: exactly one place makes exactly one sentence true."""
    chests = [c for c in ("white", "blue", "red") if [c == "white", c != "blue", c != "white"].count(True) == 1]
    assert chests == ["blue"]
    assert key("M04") == "The blue one"
    brothers = [b for b in ("Asan", "Usen", "Yesen") if [b == "Usen", b != "Usen", b != "Yesen"].count(True) == 1]
    assert brothers == [key("R04")]


def test_seatings() -> None:
    """M05, R05: one seating fits the clues."""
    rows = [
        r
        for r in permutations(["Aisha", "Bolat", "Saule", "Darkhan"])
        if r[0] == "Bolat"
        and abs(r.index("Bolat") - r.index("Aisha")) == 3
        and abs(r.index("Saule") - r.index("Aisha")) == 1
    ]
    assert [list(r[1:3]) for r in rows] == [gap_keys("M05")]
    yurts = [
        r
        for r in permutations(["Omar", "Gulnar", "Saken", "Zhanar"])
        if r[3] == "Omar" and abs(r.index("Gulnar") - 3) == 1 and r.index("Zhanar") not in (0, 3)
    ]
    assert [list(r[:2]) for r in yurts] == [gap_keys("R05")]


def test_deductions() -> None:
    """M06, R06: of all small worlds that fit the sentences, only the key holds in each."""
    kinds = list(product([True, False], repeat=3))  # piebald, fast, Asan's
    worlds = [
        w
        for size in range(1, 9)
        for w in combinations(kinds, size)
        if all(f for p, f, _ in w if p) and any(f and a for _, f, a in w) and not any(p and a for p, _, a in w)
    ]
    holds = [
        all(all(p for p, f, _ in w if f) for w in worlds),
        all(all(f for _, f, a in w if a) for w in worlds),
        all(any(f and not p for p, f, _ in w) for w in worlds),
        all(all(a for _, f, a in w if f) for w in worlds),
    ]
    assert holds == [option.code in item("M06").rule.right for option in item("M06").content.options]  # type: ignore[union-attr]
    children = [c for c in product([True, False], repeat=3) if (not c[0] or c[1]) and (not c[1] or c[2])]
    assert not any(club for club, _, card in children if not card)
    assert key("R06") == "Yerasyl does not go to the club."


@pytest.mark.parametrize(("code", "pieces"), [("M07", (1, 3, 6)), ("R07", (20, 50, 100))])
def test_combinations(code: str, pieces: tuple[int, ...]) -> None:
    """The marked amounts are exactly the offered sums of some of the pieces."""
    sums = {sum(some) for size in range(1, 4) for some in combinations(pieces, size)}
    offered = {o.text.en: int(o.text.en.split()[0]) for o in item(code).content.options if o.text}
    assert keys(code) == {text for text, amount in offered.items() if amount in sums}


def test_worst_cases() -> None:
    """M08, R08: all of the other colours, and one more."""
    assert key("M08") == str(8 + 6 + 1)
    assert key("R08") == str(7 + 9 + 1)


def squares(code: str, picture: str) -> tuple[Cells, tuple[int, int] | None]:
    """The filled cells of a picture of squares, moved to the origin, and the yellow one."""
    root = ET.fromstring(form_of(code).media[picture])  # noqa: S314 - our own file
    found = [
        (float(r.attrib["x"]), float(r.attrib["y"]), float(r.attrib["width"]), r.attrib["fill"])
        for r in root.iter()
        if "x" in r.attrib and r.attrib.get("stroke")
    ]
    left, top, side = min(x for x, *_ in found), min(y for _, y, *_ in found), found[0][2]
    cells = {(round((x - left) / side), round((y - top) / side)): fill for x, y, _, fill in found}
    return frozenset(cells), next((cell for cell, fill in cells.items() if fill == "#F5B301"), None)


def quarter_turn(cells: Cells, yellow: tuple[int, int], *, clockwise: bool) -> tuple[Cells, tuple[int, int]]:
    wide, high = max(x for x, _ in cells), max(y for _, y in cells)
    move = (lambda x, y: (high - y, x)) if clockwise else (lambda x, y: (y, wide - x))
    return frozenset(move(*cell) for cell in cells), move(*yellow)


@pytest.mark.parametrize(("code", "clockwise"), [("M09", True), ("R09", False)])
def test_rotations(code: str, clockwise: bool) -> None:
    """Only the right picture is the turned figure."""
    cells, yellow = squares(code, f"{code.lower()}.svg")
    assert yellow
    turned = quarter_turn(cells, yellow, clockwise=clockwise)
    fits = [o.code for o in item(code).content.options if o.picture and squares(code, o.picture) == turned]
    assert fits == list(item(code).rule.right)  # type: ignore[union-attr]


def folds_to_cube(cells: Cells) -> bool:
    """Roll a cube over the net: each cell must be printed by another face."""
    start = min(cells)
    bottoms, waiting = {start: 1}, [(start, (1, 2, 3))]  # bottom, north, east; opposite faces are negative
    while waiting:
        (x, y), (bottom, north, east) = waiting.pop()
        rolled = {
            (0, -1): (north, -bottom, east),
            (0, 1): (-north, bottom, east),
            (1, 0): (east, north, -bottom),
            (-1, 0): (-east, north, bottom),
        }
        for (dx, dy), faces in rolled.items():
            cell = (x + dx, y + dy)
            if cell in cells and cell not in bottoms:
                bottoms[cell] = faces[0]
                waiting.append((cell, faces))
    return len(bottoms) == len(set(bottoms.values())) == 6


@pytest.mark.parametrize("code", ["M11", "R11"])
def test_cube_nets(code: str) -> None:
    """Only the right picture folds to a cube."""
    folding = [o.code for o in item(code).content.options if o.picture and folds_to_cube(squares(code, o.picture)[0])]
    assert folding == list(item(code).rule.right)  # type: ignore[union-attr]


@pytest.mark.parametrize("code", ["M12", "R12"])
def test_counting_cubes(code: str) -> None:
    """Each top face that is drawn closes a column; its height is read from the drawing."""
    assert key(code) == str(sum(heights(code).values()))


def heights(code: str) -> dict[tuple[int, int], int]:
    """Columns of an isometric drawing by place.

    A cube is three polygons, left, right and top, drawn back to front.
    """
    root = ET.fromstring(form_of(code).media[f"{code.lower()}.svg"])  # noqa: S314 - our own file
    shapes = [shape.attrib for shape in root.iter() if "points" in shape.attrib]
    tops = [[tuple(map(float, p.split(","))) for p in s["points"].split()] for s in shapes if s["fill"] == "#BFE0EE"]
    wide, unit = 26 * 0.866, 26
    # The first cube drawn is (0, 0, 0); its top's back corner is the origin, one unit up.
    origin_x, origin_y = tops[0][0][0], tops[0][0][1] + unit
    cubes: Counter[tuple[int, int]] = Counter()
    place = (0, 0)
    for index, top in enumerate(tops):
        difference = round((top[0][0] - origin_x) / wide)
        total_less_height = (top[0][1] - origin_y) / unit
        # Drawn in order of x + y, and within a column from the bottom: a cube one higher on the same spot continues it.
        if (
            index
            and difference == place[0] - place[1]
            and round(sum(place) / 2 - cubes[place] - 1, 1) == round(total_less_height, 1)
        ):
            cubes[place] += 1
            continue
        along = round(2 * (total_less_height + 1))
        place = ((along + difference) // 2, (along - difference) // 2)
        cubes[place] = 1
    return dict(cubes)


@pytest.mark.parametrize("code", ["M13", "R13"])
def test_front_views(code: str) -> None:
    """From the arrow's side each column of places shows its highest."""
    columns = heights(code)
    front = [max(h for (x, _), h in columns.items() if x == column) for column in range(3)]
    fits = []
    for option in item(code).content.options:
        assert option.picture
        cells, _ = squares(code, option.picture)
        fits.append([sum(x == column for x, _ in cells) for column in range(3)] == front)
    assert [o.code for o, fit in zip(item(code).content.options, fits, strict=True) if fit] == list(
        item(code).rule.right
    )  # type: ignore[union-attr]


def holes(code: str, picture: str) -> set[tuple[int, int]]:
    root = ET.fromstring(form_of(code).media[picture])  # noqa: S314 - our own file
    return {
        (int((float(c.attrib["cx"]) - 12) // 24), int((float(c.attrib["cy"]) - 12) // 24))
        for c in root.iter()
        if "cx" in c.attrib
    }


@pytest.mark.parametrize("code", ["M14", "R14"])
def test_paper_folding(code: str) -> None:
    """Two folds through the middle mirror the hole both ways."""
    root = ET.fromstring(form_of(code).media[f"{code.lower()}.svg"])  # noqa: S314 - our own file
    (punched,) = [c.attrib for c in root.iter() if "cx" in c.attrib]
    x, y = int((float(punched["cx"]) - 264) // 24), int((float(punched["cy"]) - 16) // 24)
    opened = {(a, b) for a in (x, 3 - x) for b in (y, 3 - y)}
    fits = [o.code for o in item(code).content.options if o.picture and holes(code, o.picture) == opened]
    assert fits == list(item(code).rule.right)  # type: ignore[union-attr]


def test_counting_shapes() -> None:
    """M16: 6 triangles from the top to either of two bases. R16.

    Squares of side 1, 2 and 3 in a grid of 4 × 3.
    """
    assert number("M16") == 2 * len(list(combinations(range(4), 2)))
    assert number("R16") == sum((4 - side) * (3 - side) for side in range(3))


def test_timetables() -> None:
    """M17, M18, M19 and R17, R18, R19, from their tables."""
    bus = table("M17")
    assert key("M17") == str(minutes(bus["District centre"][0]) - minutes(bus["Karasu"][0]))
    in_time = [n for n, arrival in enumerate(bus["District centre"], 1) if minutes(arrival) < minutes("14:00")]
    assert [f"Bus {n} only" for n in in_time if n != 1] == [key("M18")]
    assert number("M19") == 2 * (600 + 600 + 600 // 2)
    van = table("R17")
    assert key("R17") == str(minutes(van["Tasotkel"][2]) - minutes(van["Tasotkel"][1]))
    open_then = [v for v, (day, _, leaves) in van.items() if day == "Wednesday" and minutes(leaves) > minutes("13:00")]
    assert [f"In {village}" for village in open_then] == [key("R18")]
    assert number("R19") == 3 * 20 * (21 - 14)


@pytest.mark.parametrize(
    ("one", "other", "names", "first", "second"),
    [
        ("M20", "M21", ["Bereke", "Dastarkhan", "Yntymak"], (2, 1, 1), (2, 2, 0)),
        ("R20", "R21", ["Otar", "Altyn Dan", "Zhailau"], (4, 1, 1), (1, 2, 0)),
    ],
)
def test_prices(one: str, other: str, names: list[str], first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """The cheapest for the first list; the cheapest and the dearest for the second, without ties."""
    prices = [[int(p) for p in row] for row in table(one).values()]

    def costs(amounts: tuple[int, ...]) -> dict[str, int]:
        return {name: sum(a * row[n] for a, row in zip(amounts, prices, strict=True)) for n, name in enumerate(names)}

    cheapest = min(costs(first), key=lambda name: costs(first)[name])
    assert key(one).endswith(cheapest)
    assert list(costs(first).values()).count(costs(first)[cheapest]) == 1
    ordered = sorted(costs(second), key=lambda name: costs(second)[name])
    assert gap_keys(other) == [ordered[0], ordered[-1]]
    assert len(set(costs(second).values())) == 3


def test_weather() -> None:
    """M22, M23 from the table."""
    days = {day: [int(cell.replace("−", "-")) for cell in row] for day, row in table("M22").items()}
    gap = {day: by_day - night for day, (by_day, night, _) in days.items()}
    truth = [
        max(days, key=lambda d: days[d][2]) == "Thursday",
        all(night < by_day for by_day, night, _ in days.values()),
        gap["Monday"] == 9,
        sum(by_day < -8 for by_day, *_ in days.values()) == 2,
        sum(wind > 15 for *_, wind in days.values()) == 2,
    ]
    assert truth == [option.code in item("M22").rule.right for option in item("M22").content.options]  # type: ignore[union-attr]
    assert key("M23") == f"{days[max(gap, key=lambda d: gap[d])][2]} m/s"
    assert list(gap.values()).count(max(gap.values())) == 1


def test_milk() -> None:
    """R22, R23 from the table."""
    days = {day: [int(cell) for cell in row] for day, row in table("R22").items()}
    left = {day: morning + evening - sold for day, (morning, evening, sold) in days.items()}
    milked = Counter(morning + evening for morning, evening, _ in days.values())
    truth = [
        max(left, key=lambda d: left[d]) == "Wednesday",
        max(days, key=lambda d: sum(days[d][:2])) == "Friday",
        all(morning > evening for morning, evening, _ in days.values()),
        days["Thursday"][2] == 15,
        milked.most_common(1)[0][1] == 3,
    ]
    assert truth == [option.code in item("R22").rule.right for option in item("R22").content.options]  # type: ignore[union-attr]
    assert key("R23") == str(350 * days[min(left, key=lambda d: left[d])][2])
