# ruff: noqa: E501 (sentences, markup and scripts stay in one piece)
"""Markup that came with an item runs nothing; and every page is readable and touchable for a child (SAFETY J7, LOOK)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.player.form import pack, section
from tests.browser.player.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.player.sitter import Sitter

HARM = "window.harm=(window.harm||0)+1"
PAYLOADS = [
    f"<script>{HARM}</script>",
    f"<img src=x onerror='{HARM}'>",
    f"<img data-media=map0 onload='{HARM}' onerror='{HARM}'>",
    f"<svg onload='{HARM}'><script>{HARM}</script></svg>",
    f"<svg><animate onbegin='{HARM}' attributeName=x dur=1s></svg>",
    f"<svg><foreignObject><img src=x onerror='{HARM}'></foreignObject></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror='{HARM}'></style></mglyph></table></mtext></math>",
    f"<iframe srcdoc='<script>parent.{HARM}</script>'></iframe>",
    f"<iframe src='javascript:{HARM}'></iframe>",
    f"<a href='javascript:{HARM}'>a</a>",
    f"<object data='javascript:{HARM}'></object>",
    f"<embed src='javascript:{HARM}'>",
    f"<form action='javascript:{HARM}'><button>b</button></form>",
    f"<input autofocus onfocus='{HARM}'>",
    f"<select autofocus onfocus='{HARM}'></select>",
    f"<textarea autofocus onfocus='{HARM}'></textarea>",
    f"<video><source onerror='{HARM}'></video>",
    f"<audio src=x onerror='{HARM}'></audio>",
    f"<details open ontoggle='{HARM}'>d</details>",
    f"<marquee onstart='{HARM}'>m</marquee>",
    f"<body onload='{HARM}'>",
    f"<p onclick='{HARM}' onpointerover='{HARM}' style='position:fixed;inset:0'>p</p>",
    "<style>@import 'https://evil.example/x.css';*{background:url(https://evil.example/y)}</style>",
    "<link rel=stylesheet href='https://evil.example/z.css'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href='https://evil.example/'>",
    "<img src='https://evil.example/pixel.gif'>",
    "<p><img srcset='https://evil.example/pixel.gif 1x'></p>",
    f"<noscript><p title=\"</noscript><img src=x onerror='{HARM}'>\"></noscript>",
    f"<template><script>{HARM}</script></template>",
    f"<p id=player><p id=question><script>{HARM}</script>",
    f"<table background='javascript:{HARM}'><tr><td>t</td></tr></table>",
    f"<span data-gap='g1' onmouseover='{HARM}'>g</span>",
    f"<![CDATA[<img src=x onerror='{HARM}'>]]>",
    f"<!--><img src=x onerror='{HARM}'>-->",
    f"<scr<script>ipt>{HARM}</script>",
    f'<IMG """><SCRIPT>{HARM}</SCRIPT>">',
    f"<xss-element onfocus='{HARM}' tabindex=1 autofocus>x</xss-element>",
    f"&lt;script&gt;{HARM}&lt;/script&gt;",
    "<style>html{display:none}</style>",
]


def hostile(language: str) -> dict[str, Any]:
    """The form with every payload in each place that takes markup."""
    whole = section(language)
    for item in whole["items"]:
        item["prompt"] = "<p>Сұрақ</p>" + "".join(PAYLOADS)
        item["stimulus"] = "".join(PAYLOADS)
        for option in item.get("options", []):
            option["text"] = f"жауап {''.join(PAYLOADS)}"
    return whole


def test_no_payload_in_an_item_or_a_message_runs(player: Path, sitter_at: Callable[..., Sitter]) -> None:
    """Forty known payloads in prompt, stimulus, options, messages: nothing runs, nothing is asked of another host."""
    assert player
    with Peer(packed=pack(section=hostile), next_save_s=1) as peer:
        sitter = sitter_at(peer.url)
        sitter.to_first_question(peer.pupils[0])
        peer.order(peer.pupils[0], "message", text={"kk": "".join(PAYLOADS)})
        sitter.page.locator("dialog .primary").click()
        for number in range(1, 8):
            sitter.go_to(number)
            sitter.page.locator("article p").first.hover()
            assert (
                sitter.page.evaluate(
                    "document.querySelectorAll('article :is(script,style,iframe,object,embed,svg:not(.icon),form,a,video)').length"
                )
                == 0
            )
            assert (
                sitter.page.evaluate(
                    "[...document.querySelectorAll('article *')].flatMap((e) => [...e.attributes]).filter((a) => /^on/.test(a.name)).length"
                )
                == 0
            )
        assert sitter.page.evaluate("window.harm") is None
        # Chromium speaks up while the inert document is parsed (event attributes, base); any other fault is a real one.
        sitter.faults = [fault for fault in sitter.faults if "violates the following" not in fault]


SMALL = """() => [...document.querySelectorAll('button, select, input[type=text], textarea, summary, .option, a')]
  .filter((e) => e.offsetParent !== null && !e.matches('.prompt a'))
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 47.5 || box.width < 47.5)).map(([html, box]) => `${html} ${box.width}×${box.height}`)"""

PALE = """() => {
  const parse = (text) => { const m = text.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > .99) return c; } return [255, 255, 255, 1]; };
  const out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.nodeValue.trim() || e.offsetParent === null || e.closest('[disabled], .unseen-text, option')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 7) out.push(`${ratio.toFixed(2)} ${walker.currentNode.nodeValue.trim().slice(0, 40)}`);
  }
  return out;
}"""


def test_everything_can_be_read_and_touched(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """On a phone, at 100 and 200 % text: contrast at least 7, targets at least 48 px, nothing wider than the screen."""
    sitter = sitter_at(peer.url, reduced_motion="reduce")

    def look(where: str) -> None:
        page = sitter.page
        assert (where, page.evaluate(SMALL)) == (where, [])
        assert (where, page.evaluate(PALE)) == (where, [])
        assert (where, page.evaluate("document.documentElement.scrollWidth - innerWidth")) == (where, 0)

    sitter.choose_language("ru")
    look("sign-in")
    sitter.page.locator("button[type=submit]").click()
    sitter.page.locator("#trouble").wait_for()  # it takes the focus: what is typed before it stands would be lost
    look("sign-in with trouble")
    sitter.sign_in(peer.pupils[0])
    sitter.page.locator(".findings").wait_for()
    look("check")
    sitter.page.locator(".big").click()
    sitter.page.locator("#start").wait_for()
    look("waiting")
    sitter.page.locator("#start").click()
    for size in ("100", "200"):
        sitter.page.locator("#question").wait_for()
        for number in range(1, 8):
            sitter.go_to(number)
            sitter.answer()
            look(f"question {number} at {size} %")
        sitter.page.locator(".counter").click()
        sitter.page.locator("dialog[open]").wait_for()
        look(f"grid at {size} %")
        sitter.page.keyboard.press("Escape")
        sitter.page.locator("dialog").wait_for(state="detached")
        sitter.page.locator(".top .bare").last.click()
        sitter.page.locator("dialog[open]").wait_for()
        look(f"menu at {size} %")
        if size == "100":
            for _ in range(4):
                sitter.page.get_by_role("button", name="Крупнее").click()
        sitter.page.keyboard.press("Escape")
        sitter.page.locator("dialog").wait_for(state="detached")
    sitter.go_to(7)
    sitter.page.locator("#next").click()
    look("review")
    sitter.finish()
    sitter.receipt()
    look("receipt")
