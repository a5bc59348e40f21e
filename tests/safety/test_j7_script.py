"""SAFETY J7: whatever an author pasted, nothing in a bundle runs, and nothing in it calls another host."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree.ElementTree import register_namespace

import pytest
from defusedxml.ElementTree import fromstring

from engine.bundles.clean import ATTRIBUTES, SVG_ATTRIBUTES, SVG_NAMES, TAGS, UncleanError, clean_html, clean_svg
from engine.bundles.pack import AuthoredOption
from tests.safety import payloads
from tests.support.forms import form, item, opened, packed, two

OUTWARD = re.compile(r"javascript:|data:|//|url\((?!#)|\\", re.IGNORECASE)
VOID = {"br", "img"}


class Reader(HTMLParser):
    """What a browser would make elements of."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def require_harmless(html: str) -> None:
    """Allowed elements with allowed attributes, none of which names a place."""
    for tag, attributes in read_html(html).elements:
        assert tag in TAGS, html
        for name, value in attributes.items():
            assert name in ATTRIBUTES.get(tag, set()), html
            assert name in {"alt", "data-gap"} or not OUTWARD.search(value or ""), html
    assert not re.search(r"<!|<\?", html), html


def media(name: str) -> str:
    if name != "ok.svg":
        raise UncleanError(name)
    return "09bed1c2a3f45566"


@pytest.mark.parametrize("payload", payloads.HTML)
def test_no_html_survives_that_could_run(payload: str) -> None:
    for around in (
        "{}",
        "<p>7 + 5 = {}</p>",
        "<table><tr><td>{}</td></tr></table>",
        "<ul><li>{}",
        "<p>{}</p><p>end</p>",
    ):
        cleaned = clean_html(around.format(payload), media)
        require_harmless(cleaned)
        # Read again by a browser it is the same: no second parsing makes something new of it.
        assert clean_html(cleaned.replace("09bed1c2a3f45566", "ok.svg"), media) == cleaned


def test_what_children_need_survives() -> None:
    html = '<p>Жауабы <strong>қандай</strong>? <sup>2</sup></p><table><tbody><tr><td colspan="2">a &lt; b</td></tr></tbody></table>'
    assert clean_html(html, media) == html
    assert clean_html('<p><span data-gap="g1"></span></p>', media) == '<p><span data-gap="g1"></span></p>'
    assert clean_html('<img data-media="ok.svg" alt="cube">', media) == '<img data-media="09bed1c2a3f45566" alt="cube">'


def test_words_of_scripts_and_styles_are_no_text_for_a_child() -> None:
    assert read_html(clean_html("<p>2<script>alert(1)</script><style>p{}</style></p>", media)).text == "2"


def test_a_picture_that_cannot_be_had_is_an_error_and_its_name_does_not_get_through() -> None:
    with pytest.raises(UncleanError, match="right-answer"):
        clean_html('<p><img data-media="right-answer.svg"></p>', media)


@pytest.mark.parametrize("payload", payloads.SVG)
def test_no_svg_survives_that_could_run_or_call_out(payload: str) -> None:
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><g>{payload}</g></svg>'
    require_plain_shapes(clean_svg(whole.encode(), "x.svg"))


def require_plain_shapes(picture: bytes) -> None:
    for element in fromstring(picture).iter():
        assert element.tag in SVG_NAMES, picture
        for name, value in element.attrib.items():
            assert name.removeprefix("{http://www.w3.org/1999/xlink}") in SVG_ATTRIBUTES, picture
            assert not OUTWARD.search(value), picture
            assert "href" not in name or value.startswith("#"), picture
    assert b"alert" not in picture or b"<text" in picture
    assert b"<?" not in picture.removeprefix(b"<?xml")
    assert b"<!" not in picture


@pytest.mark.parametrize("picture", payloads.SVG_FILES, ids=range(len(payloads.SVG_FILES)))
def test_hostile_files_are_refused_by_name_or_come_out_harmless(picture: bytes) -> None:
    try:
        cleaned = clean_svg(picture, "x.svg")
    except UncleanError as error:
        assert "x.svg" in str(error)
    else:
        require_plain_shapes(cleaned)


def test_gradients_clips_and_reuse_inside_a_picture_survive() -> None:
    picture = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><linearGradient id="a"><stop offset="0" '
        b'stop-color="red" /></linearGradient></defs><rect width="9" height="9" fill="url(#a)" /><use href="#a" /></svg>'
    )
    assert clean_svg(picture, "x.svg") == picture
    # Names of namespaces are the process's: what draws square codes takes one for itself.
    register_namespace("svg", "http://www.w3.org/2000/svg")
    assert clean_svg(picture, "x.svg") == picture


def test_a_whole_form_of_payloads_is_harmless_as_a_player_reads_it() -> None:
    """Through every field of an item and out of the encrypted bundle again."""
    items = [
        item(
            f"M{number}",
            payload,
            [AuthoredOption(code="A", text=two(payload)), AuthoredOption(code="B", picture="ok.svg", alt=two(payload))],
            stimulus=two(payload),
            stimulus_id=f"s{number}",
        )
        for number, payload in enumerate(payloads.HTML)
    ]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{"".join(payloads.SVG)}</svg>'
    seen = opened(packed(form(items, {"ok.svg": ("image/svg+xml", svg.encode())})))
    for text in seen.texts.values():
        for each in text.items:
            require_harmless(each.prompt)
            require_harmless(each.stimulus or "")
            for option in each.options or []:
                require_harmless(option.text or "")
    assert seen.media
    for kind, picture in seen.media.values():
        assert kind == "image/svg+xml"
        require_plain_shapes(picture)


def test_only_pictures_are_packed_as_pictures() -> None:
    for kind in ("text/html", "application/xhtml+xml", "image/svg+xml;charset=x", "application/javascript"):
        with pytest.raises(UncleanError, match=r"x\.svg"):
            packed(form([item("M1", '<img data-media="x.svg">')], {"x.svg": (kind, b"<script>alert(1)</script>")}))
