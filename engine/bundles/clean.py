"""Cleaning of authored content at packing: an allow-list for item HTML, another for SVG (SAFETY J7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

import nh3
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from collections.abc import Callable

TAGS = set("p strong em ul ol li table thead tbody tr th td caption br sub sup span img".split())
ATTRIBUTES = {
    "img": {"data-media", "alt"},
    "span": {"data-gap"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SVG_DEPTH = 60
SVG_TAGS = set(
    "svg g defs path rect circle ellipse line polyline polygon text tspan title desc clipPath mask pattern "
    "linearGradient radialGradient stop use symbol marker".split()
)
SVG_NAMES = {f"{{{SVG}}}{tag}" for tag in SVG_TAGS}
SVG_ATTRIBUTES = set(
    "viewBox width height x y x1 y1 x2 y2 cx cy r rx ry d points transform fill fill-opacity fill-rule stroke "
    "stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-opacity stroke-miterlimit opacity id offset "
    "stop-color stop-opacity gradientUnits gradientTransform patternUnits patternTransform clip-path mask "
    "text-anchor dominant-baseline font-size font-family font-weight href preserveAspectRatio role aria-label "
    "marker-start marker-mid marker-end markerWidth markerHeight refX refY orient clipPathUnits maskUnits dx dy".split()
)
FETCHING = re.compile(r"(?:url|src|image|image-set)\((?!#)")


class UncleanError(ValueError):
    """Content that can't be made safe; the message says where."""


def clean_html(html: str, media_id: Callable[[str], str]) -> str:
    """Item HTML with nothing but the allowed elements; names of pictures become ids of media files."""
    failed: list[Exception] = []

    def filtered(tag: str, name: str, value: str) -> str | None:
        if tag != "img" or name != "data-media":
            return value
        try:
            return media_id(value)
        except Exception as error:  # noqa: BLE001 (the cleaner swallows it and would keep the author's name: raised below)
            failed.append(error)
            return None

    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=filtered,
        # What a script or a style holds is no text for a child either.
        clean_content_tags={"script", "style", "iframe", "object", "svg", "math", "template"},
        strip_comments=True,
        link_rel=None,
        url_schemes=set(),
    )
    if failed:
        raise failed[0]
    return clean


def clean_svg(picture: bytes, name: str) -> bytes:
    """An SVG with nothing but shapes and plain text: no script, no event, no reference out of the file."""
    try:
        root = fromstring(picture)
    except (ParseError, DefusedXmlException, ValueError) as error:
        msg = f"{name}: not a clean SVG ({error})."
        raise UncleanError(msg) from error
    except RecursionError as error:
        msg = f"{name}: nested too deeply."
        raise UncleanError(msg) from error
    if root.tag != f"{{{SVG}}}svg":
        msg = f"{name}: its root is not <svg>."
        raise UncleanError(msg)
    _clean(root, name, 0)
    # Each time: the names of namespaces are the process's, and another library that draws SVG has its own for this one.
    register_namespace("", SVG)
    return tostring(root, encoding="utf-8")


def _clean(element: Element, name: str, depth: int) -> None:
    if depth > SVG_DEPTH:
        msg = f"{name}: nested more than {SVG_DEPTH} deep."
        raise UncleanError(msg)
    for attribute in list(element.attrib):
        local = attribute.removeprefix(f"{{{XLINK}}}") if attribute.endswith("}href") else attribute
        value = element.attrib[attribute].strip()
        outward = local == "href" and not value.startswith("#")
        if local not in SVG_ATTRIBUTES or outward or _fetches(value):
            del element.attrib[attribute]
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag not in SVG_NAMES:
            element.remove(child)
        else:
            _clean(child, name, depth + 1)


def _fetches(value: str) -> bool:
    """Whether a value names anything outside the file: url(#…) points inside, and a backslash may spell anything."""
    plain = re.sub(r"[\s'\"]", "", value).lower()
    return "\\" in plain or FETCHING.search(plain) is not None
