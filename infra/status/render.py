"""The feed as files that any static server, CDN or object store can serve: three pages, the figures as JSON, style, script."""

from __future__ import annotations

import functools
import os
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.status.store import Head, IncidentLine, SittingLine
from infra.status.watch import Standing

HERE = Path(__file__).parent
ASTANA = timezone(timedelta(hours=5))
LANGUAGES = (("kk", "Қазақша", "index.html"), ("ru", "Русский", "ru.html"), ("en", "English", "en.html"))
WORSE = ("works", "slow", "off")
DEFAULT_PROJECT = "myn-bala"
HEADS_SHOWN = 24


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows: no figure of it is a person's."""

    written_ms: int
    projects: list[str]
    steps: dict[str, Standing]
    sittings: list[SittingLine]
    incidents: list[IncidentLine]
    heads: list[Head]


def worst(words: list[str]) -> str:
    """The worst of several."""
    return max(words, key=WORSE.index, default="works")


def joined(standings: list[Standing]) -> Standing:
    """Several steps as one line of the page: the worst, since when it is so."""
    word = worst([standing.word for standing in standings])
    return Standing(word, min(standing.since_ms for standing in standings if standing.word == word))


def write(feed: Feed, folder: Path) -> None:
    """Every file, each whole at every moment."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("status.css", "status.js"):
        _put(folder / name, (HERE / name).read_bytes())
    for language, _, name in LANGUAGES:
        _put(folder / name, page(feed, language).encode())
    # The figures last: their age is what the server goes by.
    _put(folder / "status.json", msgspec.json.format(msgspec.json.encode(feed), indent=1))


def read(folder: Path) -> Feed | None:
    """What was written last; None if there is nothing that can be read."""
    try:
        return msgspec.json.decode((folder / "status.json").read_bytes(), type=Feed)
    except (OSError, msgspec.DecodeError):
        return None


def page(feed: Feed, language: str) -> str:
    """One page."""
    words = _words()

    def of(text: dict[str, str]) -> str:
        return text.get(language) or text.get("kk") or next(iter(text.values()), "")

    return _template().render(
        feed=feed,
        language=language,
        languages=LANGUAGES,
        w=words[language],
        projects=words["projects"],
        incidents=feed.incidents,
        worst=worst([standing.word for standing in feed.steps.values()]),
        of=of,
        clock=clock,
        when=when,
        up="",
    )


def clock(ms: int, seconds: bool = False) -> str:  # noqa: FBT001, FBT002 (a filter of the template)
    """A time of day in Astana."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ASTANA).strftime("%H:%M:%S" if seconds else "%H:%M")


def when(ms: int) -> str:
    """Day and time in Astana, in figures: the same in every language."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ASTANA).strftime("%d.%m.%Y %H:%M")


def _put(path: Path, content: bytes) -> None:
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_bytes(content)
    waiting.replace(path)


@functools.cache
def _words() -> dict[str, Any]:
    return tomllib.loads((HERE / "words.toml").read_text())


@functools.cache
def _template() -> Any:  # noqa: ANN401 (jinja2's own)
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("page.html")
