"""Loads the authored forms of the demo: main, reserve and practice.

Promises that what it returns is whole: every text in three languages, every picture there and clean, every
key pointing at an option that exists. A fault is a ContentError that names file, item and field.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TypeVar

import msgspec

from portal.demo.authored import (
    AuthoredFile,
    AuthoredForm,
    AuthoredItem,
    AuthoredOption,
    AuthoredStimulus,
)
from portal.demo.markup import MarkupError, check_html, check_svg
from portal.demo.structs import (
    LANGUAGES,
    Form,
    Gap,
    Item,
    ItemContent,
    Kind,
    Option,
    Section,
    Text,
)
from scoring.folding import fold_text, parse_number
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, Rule, TextRule

CONTENT = Path(__file__).parent / "content"
FORMS = ("main", "reserve", "practice")
RULE_OF_KIND: dict[Kind, type[Rule]] = {
    "single": ChoiceRule,
    "picture": ChoiceRule,
    "multiple": ChoicesRule,
    "dropdown": GapsRule,
    "numeric": NumericRule,
    "short_text": TextRule,
}
MOST_POINTS = 3
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
Shape = TypeVar("Shape", bound=msgspec.Struct)


class ContentError(ValueError):
    """An authored file says something that can't be served; the message says where and what."""


def load_form(name: str, folder: Path = CONTENT) -> Form:
    """One form, checked; items stand in the order of their codes. Raises ContentError."""
    home = folder / name
    head = _read(home / "form.toml", AuthoredForm)
    media = {path.name: path.read_bytes() for path in sorted((home / "media").glob("*.svg"))}
    items: list[Item] = []
    for path in sorted(home.glob("[0-9]*.toml")):
        file = _read(path, AuthoredFile)
        items.extend(_item(f"{name}/{path.name}: {item.code}", item, file.stimulus) for item in file.items)
    items.sort(key=lambda item: item.code)
    form = Form(
        name=head.name,
        title=head.title,
        sections=tuple(Section(section.number, Text(section.kk, section.ru, section.en)) for section in head.sections),
        items=tuple(msgspec.structs.replace(item, position=place) for place, item in enumerate(items, start=1)),
        media=media,
    )
    _check_media(name, form)
    _check_codes(name, form, head.item_prefix)
    return form


def _read(path: Path, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), shape)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ContentError(f"{path.parent.name}/{path.name}: {error}") from error


def _item(place: str, authored: AuthoredItem, shared: AuthoredStimulus | None) -> Item:
    stimulus = Text(shared.kk.strip(), shared.ru.strip(), shared.en.strip()) if shared else None
    content = ItemContent(
        stimulus=stimulus,
        stimulus_id=shared.id if shared else None,
        prompt=authored.prompt,
        kind=authored.kind,
        options=_options(authored.options),
        gaps=tuple(Gap(code, _options(options)) for code, options in authored.gaps.items()),
        max_choices=authored.max_choices,
        fixed_order=authored.fixed_order,
        unit=authored.unit,
        pictures=_pictures(place, stimulus, authored.prompt, tuple(authored.gaps)),
    )
    if not 1 <= authored.points <= MOST_POINTS:
        raise ContentError(f"{place}: points are {authored.points}; 1 to {MOST_POINTS} are allowed")
    if not SLUG.fullmatch(authored.skill):
        raise ContentError(f"{place}: skill {authored.skill!r} is no slug such as «map-route»")
    _check_options(place, content)
    _check_rule(place, content, authored.rule)
    return Item(
        code=authored.code,
        section=authored.section,
        position=0,
        topic=authored.topic,
        skill=authored.skill,
        content=content,
        points=authored.points,
        rule=authored.rule,
    )


def _options(authored: dict[str, str | AuthoredOption]) -> tuple[Option, ...]:
    made: list[Option] = []
    for code, option in authored.items():
        if isinstance(option, str):
            made.append(Option(code=code, text=Text(option, option, option)))
            continue
        text = Text(option.kk, option.ru, option.en)
        if option.picture is None:
            made.append(Option(code=code, text=text))
        else:
            made.append(Option(code=code, picture=option.picture, alt=text))
    return tuple(made)


def _pictures(place: str, stimulus: Text | None, prompt: Text, gaps: tuple[str, ...]) -> tuple[str, ...]:
    """Check the HTML of all languages.

    The pictures must be the same in each, the gaps exactly those declared.
    """
    seen: list[tuple[str, ...]] = []
    for language in LANGUAGES:
        html = {"prompt": getattr(prompt, language)} | ({"stimulus": getattr(stimulus, language)} if stimulus else {})
        media: list[str] = []
        for field, text in html.items():
            if not text.strip():
                raise ContentError(f"{place}: {field} is empty in {language}")
            try:
                found = check_html(text)
            except MarkupError as error:
                raise ContentError(f"{place}: {field} in {language}: {error}") from error
            media.extend(found.media)
            if field == "prompt" and tuple(found.gaps) != gaps:
                raise ContentError(f"{place}: the prompt in {language} has gaps {found.gaps}, declared are {gaps}")
        seen.append(tuple(sorted(media)))
    if len(set(seen)) != 1:
        raise ContentError(f"{place}: the languages show different pictures: {seen}")
    return seen[0]


def _check_options(place: str, content: ItemContent) -> None:
    choosing = content.kind in ("single", "multiple", "picture")
    if bool(content.options) != choosing or bool(content.gaps) != (content.kind == "dropdown"):
        raise ContentError(f"{place}: kind {content.kind} and its options or gaps don't fit together")
    for options in (content.options, *(gap.options for gap in content.gaps)):
        if options and [option.code for option in options] != list("ABCDEFGH"[: len(options)]):
            raise ContentError(f"{place}: option codes must be A, B, C … in order")
        if len(options) == 1:
            raise ContentError(f"{place}: one option is no choice")
        for language in LANGUAGES:
            shown = [getattr(option.text or option.alt, language) for option in options]
            if any(not text.strip() or "<" in text for text in shown) or len(set(shown)) != len(shown):
                raise ContentError(f"{place}: options in {language} must be plain, present and different: {shown}")
    if any((option.picture is not None) != (content.kind == "picture") for option in content.options):
        raise ContentError(f"{place}: pictures belong to options of kind picture, to all of them and to no others")


def _check_rule(place: str, content: ItemContent, rule: Rule) -> None:
    if not isinstance(rule, RULE_OF_KIND[content.kind]):
        raise ContentError(f"{place}: kind {content.kind} can't have a rule of type {type(rule).__name__}")
    match rule:
        case ChoiceRule() | ChoicesRule():
            _check_choices(place, content, rule)
        case GapsRule(right):
            offered = {gap.code: {option.code for option in gap.options} for gap in content.gaps}
            if right.keys() != offered.keys() or any(code not in offered[gap] for gap, code in right.items()):
                raise ContentError(f"{place}: the key {right} must name one option for each of {sorted(offered)}")
        case NumericRule(value, tolerance):
            if parse_number(value) is None or (parse_number(tolerance) or 0) < 0:
                raise ContentError(f"{place}: value {value!r} and tolerance {tolerance!r} must be numbers")
        case TextRule(accept, fold_case):
            folded = [fold_text(text, fold_case=fold_case) for text in accept]
            if not folded or "" in folded or len(set(folded)) != len(folded):
                raise ContentError(f"{place}: accepted texts must be present and differ after folding: {folded}")


def _check_choices(place: str, content: ItemContent, rule: ChoiceRule | ChoicesRule) -> None:
    codes, right = {option.code for option in content.options}, rule.right
    if not right or not set(right) <= codes or len(set(right)) != len(right):
        raise ContentError(f"{place}: the key {right} must name different options among {sorted(codes)}")
    if isinstance(rule, ChoiceRule) and len(right) != 1:
        raise ContentError(f"{place}: exactly one option is right here, the key names {len(right)}")


def _check_media(name: str, form: Form) -> None:
    for picture, svg in form.media.items():
        try:
            check_svg(svg)
        except MarkupError as error:
            raise ContentError(f"{name}/media/{picture}: {error}") from error
    used = {picture for item in form.items for picture in item.content.pictures}
    used |= {option.picture for item in form.items for option in item.content.options if option.picture}
    if used != form.media.keys():
        raise ContentError(
            f"{name}: missing {sorted(used - form.media.keys())}, unused {sorted(form.media.keys() - used)}"
        )


def _check_codes(name: str, form: Form, prefix: str) -> None:
    expected = [f"{prefix}{place:02d}" for place in range(1, len(form.items) + 1)]
    if [item.code for item in form.items] != expected:
        repeated = [code for code, times in Counter(item.code for item in form.items).items() if times > 1]
        raise ContentError(f"{name}: item codes must run {prefix}01, {prefix}02, … without a gap; repeated: {repeated}")
    sections = [section.number for section in form.sections]
    if sections != list(range(1, len(sections) + 1)):
        raise ContentError(f"{name}: sections must be numbered 1, 2, 3 …, not {sections}")
    walked = [item.section for item in form.items]
    if walked != sorted(walked) or set(walked) != set(sections):
        raise ContentError(f"{name}: items must walk through all sections in order, not {walked}")
