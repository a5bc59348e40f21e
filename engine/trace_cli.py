"""`elumiti trace`: from a leaked screenshot to the attempts that show it."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec

from engine.bundles.manifest import BundleGap, BundleItem, BundleOption, SectionText
from engine.bundles.pack import AuthoredItem, AuthoredOption, MappedItem, read_item
from engine.trace import Screen, Traced
from engine.trace import trace as fitting
from infra.errors import PlainError
from infra.local import adopt, decode_key
from infra.settings import TraceSettings, read

NOT_SEEN = "-"
MOST_LISTED = 100


class Authored(msgspec.Struct, frozen=True):
    """A packed form as the tracer needs it: the drawn things by their ids, and the author's names of them."""

    sections: list[SectionText]
    items: dict[str, MappedItem]


def trace(
    sitting: int,
    /,
    *,
    item: list[str],
    question: list[int] | None = None,
    options: list[str] | None = None,
    form: int = 0,
) -> None:
    """Which attempts of SITTING show these screens: once --question, --item, --options for each screenshot.

    Parameters
    ----------
    sitting
        Number of the sitting, as the portal shows it.
    item
        Code of the item that a screenshot shows, as authored (M12).
    question
        Its number on the screen; 0 if it is not to be seen.
    options
        The author's letters of its options from top to bottom, B,D,A,C; - if they are not to be seen.
    form
        The form, if it is not the sitting's first one (the reserve).
    """
    adopt("trace")
    if any(given is not None and len(given) != len(item) for given in (question, options)):
        raise PlainError("Each screenshot needs its own --question and --options.", "Give 0 or - for what is not seen.")
    seen = list(zip(item, question or [0] * len(item), options or [NOT_SEEN] * len(item), strict=True))
    for line in told(asyncio.run(search(read(TraceSettings), sitting, form, seen))):
        print(line)  # noqa: T201 (the command's own output)


def told(found: Traced) -> list[str]:
    """The answer in words: how many fit, how many would by chance, and which."""
    head = f"{len(found.attempts)} attempt(s) fit; by chance alone {found.by_chance:.2g} would."
    return [head, *(f"  {attempt}" for attempt in found.attempts[:MOST_LISTED])]


async def search(settings: TraceSettings, sitting: int, form: int, seen: list[tuple[str, int, str]]) -> Traced:
    """Read the form and the sitting's attempts, then draw them all."""
    db = await asyncpg.connect(settings.database_url)
    try:
        first = await db.fetchval("select form_id from sitting where id = $1", sitting)
        if first is None:
            raise PlainError(f"There is no sitting {sitting}.", "See the portal's list of sittings for the numbers.")
        authored = await read_authored(db, form or first)
        rows = await db.fetch("select id from participant where sitting_id = $1 order by id", sitting)
    finally:
        await db.close()
    screens = [screen_of(authored, *each) for each in seen]
    attempts = [row["id"] for row in rows]
    return await asyncio.to_thread(
        fitting, authored.sections, screens, decode_key(settings.order_key), sitting, attempts
    )


async def read_authored(db: asyncpg.Connection[asyncpg.Record], form: int) -> Authored:
    """The form's structure as its newest packing stored it."""
    packed = await db.fetchval("select item_map from form_pack where form_id = $1", form)
    if packed is None:
        raise PlainError(f"Form {form} was never packed.", "Give the form that the pupils had with --form.")
    items = msgspec.json.decode(packed, type=dict[str, MappedItem])
    rows = await db.fetch(
        "select code, section, content from form_item where form_id = $1 order by section, position, code", form
    )
    groups: dict[str, int] = {}
    sections: dict[int, list[BundleItem]] = {}
    for row in rows:
        content = read_item(row["code"], row["content"])
        stored = _stored(items[row["code"]], content, groups)
        sections.setdefault(row["section"], []).append(stored)
    texts = [SectionText(section=number, language="", title="", items=found) for number, found in sections.items()]
    return Authored(texts, items)


def _stored(mapped: MappedItem, content: AuthoredItem, groups: dict[str, int]) -> BundleItem:
    stimulus = content.stimulus_id
    return BundleItem(
        id=mapped.id,
        kind=content.kind,
        prompt="",
        group=None if stimulus is None else groups.setdefault(stimulus, len(groups)),
        fixed_order=content.fixed_order,
        options=_options(content.options, mapped.options) or None,
        gaps=[
            BundleGap(id=gap.code, options=_options(gap.options, ids))
            for gap in content.gaps
            if isinstance(ids := mapped.options[gap.code], dict)
        ]
        or None,
    )


def _options(
    options: list[AuthoredOption], ids: dict[str, int] | dict[str, int | dict[str, int]]
) -> list[BundleOption]:
    # The packer stores them by id; those of a fixed order have ids that rise as authored.
    drawn = [ids[option.code] for option in options]
    return [BundleOption(id=number) for number in sorted(number for number in drawn if isinstance(number, int))]


def screen_of(authored: Authored, code: str, question: int, letters: str) -> Screen:
    """A screenshot in the packing's ids."""
    item = authored.items.get(code)
    if item is None:
        raise PlainError(f"The form has no item {code}.", f"It has {', '.join(sorted(authored.items))}.")
    if letters == NOT_SEEN:
        return Screen(item=item.id, question=question)
    named = [letter.strip() for letter in letters.split(",")]
    ids = [number for letter in named if isinstance(number := item.options.get(letter), int)]
    if len(ids) != len(named) or len(set(ids)) != len(item.options):
        known = ",".join(letter for letter, number in item.options.items() if isinstance(number, int))
        raise PlainError(
            f"--options {letters}: item {code} has the options {known or 'of no choice'}.", "Name each once."
        )
    return Screen(item=item.id, question=question, options=tuple(ids))
