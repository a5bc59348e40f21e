"""Which HTML and SVG an authored item may hold. Checked when it is loaded.

The packer cleans once more (SAFETY J7).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec

ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "p",
            "strong",
            "em",
            "ul",
            "ol",
            "li",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "caption",
            "br",
            "sub",
            "sup",
        ),
        frozenset(),
    ),
    "img": frozenset({"data-media", "alt"}),
    "span": frozenset({"data-gap"}),
}
VOID = frozenset({"br", "img"})
SVG = "{http://www.w3.org/2000/svg}"
# No <text>: a picture is the same in every language. No <image>, <use>, <a>, <style>: nothing from outside.
SVG_SHAPES = frozenset({"svg", "g", "rect", "line", "polygon", "polyline", "circle", "ellipse", "path"})
SVG_ATTRIBUTES = frozenset(
    [
        "viewBox",
        "width",
        "height",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "d",
        "points",
        "transform",
        "fill",
        "stroke",
        "stroke-width",
        "stroke-linejoin",
        "stroke-linecap",
        "stroke-dasharray",
    ]
)
SAFE_VALUE = re.compile(r"[#\w\s.,()-]*")


class MarkupError(ValueError):
    """Markup that an item may not hold; the message names what was found."""


class Found(msgspec.Struct):
    """What a checked piece of HTML refers to, in order of appearance."""

    media: list[str] = msgspec.field(default_factory=list)
    gaps: list[str] = msgspec.field(default_factory=list)


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found = Found()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            raise MarkupError(f"<{tag}> is not allowed; allowed are {', '.join(sorted(ALLOWED))}")
        given = dict(attrs)
        if unknown := given.keys() - ALLOWED[tag]:
            raise MarkupError(f"<{tag}> may not carry {', '.join(sorted(unknown))}")
        if missing := ALLOWED[tag] - given.keys():
            raise MarkupError(f"<{tag}> lacks {', '.join(sorted(missing))}")
        if tag == "img":
            if not given["alt"]:
                raise MarkupError("<img> needs an alternative text")
            self.found.media.append(given["data-media"] or "")
        if tag == "span":
            self.found.gaps.append(given["data-gap"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise MarkupError(f"</{tag}> closes nothing that is open")

    def handle_comment(self, data: str) -> None:
        raise MarkupError(f"a comment would reach the pupil: {data.strip()!r}")


def check_html(html: str) -> Found:
    """Refuse what isn't in the allow-list or isn't closed; answer with the pictures and gaps it names."""
    checker = _Checker()
    checker.feed(html)
    checker.close()
    if checker.open:
        raise MarkupError(f"<{checker.open[-1]}> is never closed")
    return checker.found


def check_svg(svg: bytes) -> None:
    """Refuse a picture that could run, fetch or say anything: shapes and plain attributes only."""
    if b"<!" in svg or b"<?" in svg:
        raise MarkupError("no declarations, comments or instructions in a picture")
    try:
        root = ET.fromstring(svg)  # noqa: S314 (declarations were refused above: no entity can expand)
    except ET.ParseError as error:
        raise MarkupError(f"not well-formed: {error}") from error
    if root.tag != f"{SVG}svg" or "viewBox" not in root.attrib:
        raise MarkupError("the root must be <svg> with a viewBox")
    for element in root.iter():
        name = element.tag.removeprefix(SVG)
        if name not in SVG_SHAPES:
            raise MarkupError(f"<{name}> is not allowed in a picture")
        if (element.text or "").strip() or (element.tail or "").strip():
            raise MarkupError("a picture holds no words: they would need three languages")
        for attribute, value in element.attrib.items():
            if attribute not in SVG_ATTRIBUTES or not SAFE_VALUE.fullmatch(value) or "url" in value:
                raise MarkupError(f"<{name} {attribute}={value!r}> is not allowed in a picture")
