"""Pure parts: pictures by their first bytes, segments, checks, scores, fairness."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from proctoring.checks.numbers import Numbers, look
from proctoring.checks.sample import Beside, events_of
from proctoring.images import size_of
from proctoring.risk.fairness import Child, device_class, light_class, shares
from proctoring.risk.rules import HOUSE, rules_of
from proctoring.risk.score import Seen, score, seconds_of
from proctoring.segments import MARK_BYTES, entries, head_of, mark, whole_bytes
from proctoring.watched import slower


def drawn(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 30).convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"x" * 9}),
    ],
)
def test_every_form_of_picture_tells_its_size(kind: str, options: dict[str, object]) -> None:
    assert size_of(drawn(kind, **options)) == (320, 240)


@given(st.binary(max_size=300))
@settings(max_examples=400)
def test_no_bytes_break_the_look_at_first_bytes(body: bytes) -> None:
    for start in (b"", b"RIFF", b"\xff\xd8\xff", b"RIFF\x20\0\0\0WEBPVP8X"):
        size_of(start + body)
        size_of(start + body + b"\xff\xd9")


@given(st.data())
def test_jpegs_and_webps_cut_anywhere_are_no_pictures(data: st.DataObject) -> None:
    for body in (PLAIN_JPEG, PLAIN_WEBP):
        cut = data.draw(st.integers(0, len(body) - 1))
        assert size_of(body[:cut]) is None


PLAIN_JPEG, PLAIN_WEBP = drawn("JPEG"), drawn("WEBP")


def group(*attempts: int, segment: bytes = b"s" * 16) -> bytes:
    """Entries that were written together."""
    parts = [
        head_of(1, 28 + 50, attempt, 1, attempt, 5, 6, b"k" * 8) + b"n" * 12 + bytes([attempt]) * 50 + b"t" * 16
        for attempt in attempts
    ]
    written = bytearray(MARK_BYTES) + b"".join(parts)
    mark(memoryview(written), segment)
    return bytes(written)


@given(st.integers(0, 700), st.binary(max_size=90))
def test_a_segment_cut_or_soiled_anywhere_keeps_the_groups_that_are_whole(cut: int, rubbish: bytes) -> None:
    parts = [group(0, 1), group(2), group(3, 4)]
    whole = b"".join(parts)
    body = whole[:cut] + rubbish
    kept = whole_bytes(body, b"s" * 16)
    ends = [0, len(parts[0]), len(parts[0] + parts[1]), len(whole)]
    assert kept >= max(end for end in ends if end <= min(cut, len(whole)))
    found = [one.attempt for one in entries(body[:kept])]
    assert found == list(range([0, 2, 3, 5][ends.index(kept)]))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.lists(st.integers(1, 9), max_size=3), st.data())
def test_what_an_older_segment_left_in_the_file_is_never_taken_for_ours(
    old: list[int], new: list[int], data: st.DataObject
) -> None:
    """The file is written over group by group, of the same length as before too; a crash may come anywhere."""
    before = b"".join(group(*range(100, 100 + size), segment=b"o" * 16) for size in old)
    ours = [group(*range(size)) for size in new]
    written = b"".join(ours)
    torn = data.draw(st.integers(0, len(written)))
    body = written[:torn] + before[torn:]
    kept = whole_bytes(body, b"s" * 16)
    assert kept >= sum(len(one) for number, one in enumerate(ours) if len(b"".join(ours[: number + 1])) <= torn)
    # More than was written stands there only where the old bytes are the very same.
    assert body[:kept] == written[:kept]
    assert all(one.attempt < 100 for one in entries(body[:kept]))


def test_one_bit_in_a_group_is_seen() -> None:
    body = bytearray(group(1) + group(2))
    for at in range(len(body) // 2):
        body[at] ^= 1
        assert whole_bytes(bytes(body), b"s" * 16) == 0
        body[at] ^= 1


@pytest.mark.parametrize(("fill", "times"), [(0, 1), (0.24, 1), (0.25, 2), (0.5, 4), (0.75, 8), (1.0, 8)])
def test_the_fuller_the_spool_the_rarer_the_pictures(fill: float, times: int) -> None:
    assert slower(fill) == times


# ---- checks ----


def scene(*, light: int = 120, blur: float = 0, noise: int = 8) -> bytes:
    image = Image.effect_noise((320, 240), noise).point(lambda level: level + light - 128).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        x, y = random.randint(0, 300), random.randint(0, 220)
        draw.rectangle((x, y, x + 20, y + 15), outline=(light, light // 2, 10))
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(blur)).save(out, "JPEG", quality=80)
    return out.getvalue()


def test_numbers_say_dark_blurred_and_same() -> None:
    usual, dark, blurred = (look(scene()), look(scene(light=15)), look(scene(blur=6)))
    assert usual
    assert dark
    assert blurred
    assert usual.fit
    assert dark.light < 40
    assert not dark.fit
    assert blurred.sharp < usual.sharp / 10
    body = scene()
    assert look(body) == look(body)
    assert look(b"no picture") is None


def test_a_drawn_picture_has_no_noise_and_a_sensor_s_has() -> None:
    still = Image.new("RGB", (320, 240), "#777788")
    ImageDraw.Draw(still).rectangle((60, 60, 200, 180), fill="#ddccbb", outline="#000000", width=3)
    out = io.BytesIO()
    still.save(out, "WEBP", lossless=True)
    drawn_picture, taken = look(out.getvalue()), look(scene())
    assert drawn_picture
    assert taken
    assert drawn_picture.noise < taken.noise / 10


NUMBERS = Numbers(faces=1, light=120, sharp=200, noise=2, same="a")


@pytest.mark.parametrize(
    ("seen", "beside", "kinds"),
    [
        (NUMBERS, Beside(set(), None), []),
        (NUMBERS, Beside({"a"}, 1), ["picture-repeated"]),
        (Numbers(1, 120, 200, 0.01, "b"), Beside(set(), 1), ["virtual-camera"]),
        (Numbers(2, 120, 200, 2, "b"), Beside(set(), 1), ["several-faces"]),
        (Numbers(0, 120, 200, 2, "b"), Beside(set(), 1), []),
        (Numbers(0, 120, 200, 2, "b"), Beside(set(), 0), ["no-face"]),
        # Too dark to say that nobody is there.
        (Numbers(0, 20, 200, 2, "b"), Beside(set(), 0), ["light-poor"]),
        (Numbers(0, 20, 2, 0, "b"), Beside(set(), 0), ["light-poor"]),
    ],
)
def test_what_numbers_give_rise_to(seen: Numbers, beside: Beside, kinds: list[str]) -> None:
    assert events_of(seen, beside) == kinds


# ---- scores ----


def test_a_score_says_why() -> None:
    events = [Seen("tab-left", 9.5)] * 4 + [Seen("paste"), Seen("line-lost", 600), Seen("light-poor")]
    total, reasons = score(events, HOUSE)
    assert [(one.kind, one.times, one.seconds) for one in reasons[:2]] == [("tab-left", 4, 38.0), ("paste", 1, 0.0)]
    # 3 counted times at 4, 35 s beyond the free three at 0.3; a paste.
    assert reasons[0].weight == 22.5
    assert total == 28.5
    assert {one.kind: one.weight for one in reasons[2:]} == {"line-lost": 0, "light-poor": 0}


@pytest.mark.parametrize("kind", ["line-lost", "line-back", "light-poor", "tab-back", "camera-on", "camera-none"])
def test_a_poor_line_and_poor_light_are_no_suspicion(kind: str) -> None:
    assert score([Seen(kind, 3000)] * 1000, HOUSE)[0] == 0


events = st.lists(st.builds(Seen, st.sampled_from([*HOUSE, "unknown"]), st.floats(0, 3600), st.booleans()), max_size=60)


@given(events, st.randoms(use_true_random=False))
def test_the_order_is_nothing_and_one_more_never_makes_it_less(seen: list[Seen], shuffle: random.Random) -> None:
    total, reasons = score(seen, HOUSE)
    mixed = list(seen)
    shuffle.shuffle(mixed)
    assert score(mixed, HOUSE)[0] == pytest.approx(total, abs=0.05)
    assert all(0 <= one.weight <= HOUSE[one.kind].most for one in reasons)
    assert total == pytest.approx(sum(one.weight for one in reasons), abs=0.01)
    if seen:
        assert score(seen[:-1], HOUSE)[0] <= total + 0.01


@pytest.mark.parametrize("data", [{}, {"ms": "4"}, {"ms": True}, {"ms": None}, {"ms": -5}, {"ms": float("-inf")}])
def test_a_length_that_is_none_is_nothing(data: dict[str, object]) -> None:
    assert seconds_of(data) == 0


def test_a_length_has_a_bound() -> None:
    assert seconds_of({"ms": 1e300}) == 3600


def test_a_test_may_say_otherwise_and_nonsense_changes_nothing() -> None:
    own = rules_of('{"paste": {"weight": 0}, "nobody": {"weight": 9}}')
    assert own["paste"].weight == 0
    assert own["paste"].most == HOUSE["paste"].most
    assert own["copy"] == HOUSE["copy"]
    assert rules_of('{"paste": {"wait": 1}}') == HOUSE
    assert rules_of("[]") == HOUSE


# ---- fairness ----

AGENTS = {
    "Mozilla/5.0 (Linux; Android 11; SM-A107F) AppleWebKit/537.36 Chrome/96.0 Mobile Safari/537.36": "Android phone",
    "Mozilla/5.0 (Linux; Android 9; SM-T510) AppleWebKit/537.36 Chrome/96.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)": "iPhone",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)": "computer",
    "": "unknown",
}


@pytest.mark.parametrize(("agent", "group"), AGENTS.items())
def test_devices_by_what_they_say(agent: str, group: str) -> None:
    assert device_class(agent) == group


def test_a_group_that_is_flagged_more_shows_and_small_ones_do_not() -> None:
    dark = [Child(25 if number < 30 else 0, "", "Алматы", 20) for number in range(50)]
    light = [Child(25 if number < 5 else 0, "", "Абай", 130) for number in range(50)]
    few = [Child(99, "", "Ұлытау", None)] * 19
    found = {(one.by, one.group): one for one in shares(dark + light + few)}
    assert found["light", "dark"].flagged == 60
    assert found["light", "dark"].times == pytest.approx(60 / (100 * 54 / 119), abs=0.01)
    assert found["light", "light"].flagged == 10
    assert ("region", "Ұлытау") not in found
    assert ("light", "not checked") not in found
    assert shares([]) == []
    assert light_class(60) == "dim"
