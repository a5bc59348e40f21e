"""What can be written to a person: each letter's subject and lines, whole sentences of the catalogue.

No secret, no score, nothing of a child (SAFETY P6): a letter says that there is something to see in the portal.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import msgspec

from infra.local import decode_key
from portal.core.i18n import day, in_language, of, t, when
from portal.core.post.tokens import code_of, token_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings import PortalSettings
    from portal.core.i18n import Language


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of letter. `path` is the page its button leads to; with `purpose` the link carries a token of that purpose.

    With `code` the lines may say {code}, six digits of that purpose. `name` is what the outbox calls it. An SMS is the
    lines, and the address when there is one.
    """

    kind: str
    name: str
    subject: str
    lines: tuple[str, ...]
    path: str = ""
    button: str = ""
    purpose: str = ""
    code: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in the receiver's language, its values filled in."""

    language: str
    subject: str
    lines: list[str]
    link: str
    button: str


LETTERS: dict[str, Letter] = {}


def register(letter: Letter) -> Letter:
    """Make a letter known; a kind is registered once."""
    if letter.kind in LETTERS:
        msg = f"The letter {letter.kind!r} is registered twice."
        raise ValueError(msg)
    LETTERS[letter.kind] = letter
    return letter


def write(letter: Letter, filled: Mapping[str, Any], language: str, settings: PortalSettings) -> Written:
    """The letter as it is sent."""
    with in_language(cast("Language", language)):  # the table's check allows the three languages only
        values = shown(filled)
        if letter.code:
            values["code"] = code_of(decode_key(settings.link_key), letter.code, str(filled["seed"]))
        path = letter.path or str(filled.get("link", ""))
        if letter.purpose:
            path += f"?token={quote(token_of(decode_key(settings.link_key), letter.purpose, str(filled['seed'])))}"
        return Written(
            language=language,
            subject=one_line(t(letter.subject, **values)),
            lines=[t(line, **values) for line in letter.lines],
            link=settings.portal_url.rstrip("/") + path if path else "",
            button=t(letter.button) if letter.button else "",
        )


def shown(filled: Mapping[str, Any]) -> dict[str, object]:
    """Values as they read in the language of now: {"text": …}, {"day": …}, {"moment": …} and names were put away so."""
    return {name: _shown(value) for name, value in filled.items()}


def _shown(value: Any) -> object:
    if isinstance(value, dict):
        if "kk" in value:
            return of(value)
        if "text" in value:
            return t(value["text"], **shown(value.get("values", {})))
        if "day" in value:
            return day(datetime.fromisoformat(value["day"]))
        if "moment" in value:
            return when(datetime.fromisoformat(value["moment"]))
    return value


def one_line(text: str) -> str:
    """Without line ends and what cannot be printed: a name with a line end in it must not begin a header of its own.

    Nor may it hold an encoded word: the library decodes `=?utf-8?q?a=0ABcc:_b?=`, and the line end is there again.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.replace("=?", "= ?").split())
