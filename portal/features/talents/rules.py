"""Who meets a rule, and which person a result belongs to. Pure: tables and rows in, decisions out."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from portal.core.i18n import N_
from portal.core.names import fold
from portal.features.talents.structs import KINDS, PER, Hit, NewRule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from portal.core.forms import Form
    from portal.features.talents.structs import Participant, PublishedRun, Rule

COLUMNS = ("attempt_id", "region_code", "rank_nation", "rank_region", "percentile_rank")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What a person of the registry is known by."""

    id: int
    external_id: str | None
    name_key: str
    birth_date: str
    school_id: int | None


class Found(msgspec.Struct, frozen=True):
    """The person of a result; None and why: `none` fits, or `several` do."""

    person_id: int | None
    why: str = ""


def top(rule: Rule, run: PublishedRun, scores: pl.DataFrame) -> list[Hit]:
    """The best share of a run, in each region or in the country.

    Places   the share of those who were scored, rounded up: the best of a small region counts too.
    Ties     who shares the last place is in with all who share it, as on a quota list.
    Voided   an attempt that was left out since the run is skipped; nobody moves up before the next run.
    """
    assert rule.share is not None
    per_region = rule.per == "region"
    rank = "rank_region" if per_region else "rank_nation"
    count = pl.len().over("region_code") if per_region else pl.len()
    places = (count * float(rule.share) / 100 - 1e-9).ceil()
    rows = (
        scores.select(*COLUMNS)
        .with_columns(scored=count, places=places)
        .filter((pl.col(rank) <= pl.col("places")) & ~pl.col("attempt_id").is_in(run.voided))
        .sort(rank, "attempt_id")
    )
    return [
        Hit(
            attempt_id=row["attempt_id"],
            run_id=run.id,
            reason={
                "rank": row[rank],
                "of": row["scored"],
                "per": rule.per,
                "region": row["region_code"],
                **_told(run),
            },
        )
        for row in rows.to_dicts()
    ]


def high(rule: Rule, run: PublishedRun, scores: pl.DataFrame) -> list[Hit]:
    """Those at or above the rule's percentile in one run: each counts once towards «so many times»."""
    assert rule.percentile is not None
    rows = (
        scores.select(*COLUMNS)
        .filter((pl.col("percentile_rank") >= float(rule.percentile)) & ~pl.col("attempt_id").is_in(run.voided))
        .sort("attempt_id")
    )
    return [
        Hit(
            attempt_id=row["attempt_id"],
            run_id=run.id,
            reason={"percentile": math.floor(row["percentile_rank"] * 10) / 10, **_told(run)},
        )
        for row in rows.to_dicts()
    ]


def _told(run: PublishedRun) -> dict[str, Any]:
    return {"sitting": run.title, "sitting_id": run.sitting_id, "run": run.version}


def best(hits: Sequence[Hit]) -> Hit:
    """Of several sittings in which one person meets a rule «top», the newest."""
    return max(hits, key=lambda hit: hit.run_id)


def together(hits: Sequence[Hit]) -> Hit:
    """Several sittings as one reason; the newest run stands for them."""
    newest = max(hits, key=lambda hit: hit.run_id)
    marks = [hit.reason for hit in sorted(hits, key=lambda hit: hit.run_id)]
    return Hit(attempt_id=newest.attempt_id, run_id=newest.run_id, reason={"times": len(marks), "marks": marks})


def enough(rule: Rule, hits: Sequence[Hit]) -> Hit | None:
    """What a person's hits come to under a rule; None: not enough."""
    if rule.kind == "top":
        return best(hits)
    # A sitting counts once, even where one person sat it under two rows of its list.
    one_each = {hit.run_id: hit for hit in hits}
    return together(list(one_each.values())) if len(one_each) >= (rule.times or 1) else None


class Registry:
    """Persons to look results up in: by external id within the school, else by folded name, birth date and school."""

    def __init__(self, persons: Iterable[Person]) -> None:
        self._by_external: dict[tuple[str, int | None], int] = {}
        self._by_name: dict[tuple[str, str, int | None], set[int]] = {}
        for person in persons:
            if person.external_id:
                self._by_external[person.external_id, person.school_id] = person.id
            self._by_name.setdefault((person.name_key, person.birth_date, person.school_id), set()).add(person.id)

    def find(self, participant: Participant) -> Found:
        """The one person; two who fit equally are for somebody to decide."""
        known = self._by_external.get((participant.external_id, participant.school_id))
        if known is not None:
            return Found(known)
        fits = self._by_name.get(identity(participant), set())
        return Found(next(iter(fits))) if len(fits) == 1 else Found(None, "several" if fits else "none")


def identity(participant: Participant) -> tuple[str, str, int]:
    """What makes two rows of two sittings' lists the same child, where the registry knows none."""
    key = fold(f"{participant.last_name} {participant.first_name}")
    return key, participant.birth_date.isoformat(), participant.school_id


class Weighed(msgspec.Struct, frozen=True):
    """What the rules come to: (person, rule) → hit; and participants of results that fit nobody, with rule and why."""

    inside: dict[tuple[int, int], Hit]
    unmatched: dict[int, tuple[int, str]]


def weigh(
    hits: Mapping[int, Sequence[Hit]],
    rules: Collection[Rule],
    participants: Mapping[int, Participant],
    registry: Registry,
    decided: Mapping[int, int | None],
) -> Weighed:
    """Join results to persons. `hits`: rule → hits; `decided`: participant → the person somebody named, None: nobody."""
    inside: dict[tuple[int, int], Hit] = {}
    unmatched: dict[int, tuple[int, str]] = {}
    for rule in sorted(rules, key=lambda one: one.id):
        persons: dict[int, list[Hit]] = {}
        strangers: dict[tuple[str, str, int], list[tuple[Hit, str]]] = {}
        for hit in hits.get(rule.id, ()):
            participant = participants.get(hit.attempt_id)
            if participant is None:
                continue
            found = Found(decided[participant.id]) if participant.id in decided else registry.find(participant)
            if found.person_id is not None:
                persons.setdefault(found.person_id, []).append(hit)
            elif found.why:
                strangers.setdefault(identity(participant), []).append((hit, found.why))
        for person_id, own in persons.items():
            met = enough(rule, own)
            if met is not None:
                inside[person_id, rule.id] = met
        for own in strangers.values():
            if enough(rule, [hit for hit, _ in own]) is not None:
                for hit, why in own:
                    unmatched.setdefault(hit.attempt_id, (rule.id, why))
    return Weighed(inside, unmatched)


def read_form(form: Form, projects: Collection[str], sittings: Mapping[int, str]) -> NewRule:
    """A rule from the form; `sittings`: id → project."""
    project, kind, title = form.choice("project", projects), form.choice("kind", list(KINDS)), form.texts("title")
    if kind == "often":
        return NewRule(
            project=project,
            kind=kind,
            title=title,
            percentile=figure(form, "percentile", 50, Decimal("99.9")),
            times=form.integer("times", least=1, most=20),
        )
    sitting_id = form.optional_id("sitting")
    if sitting_id is not None and sittings.get(sitting_id) != project:
        form.miss("sitting", N_("This sitting is not of that project."))
    return NewRule(
        project=project,
        kind=kind,
        title=title,
        sitting_id=sitting_id,
        share=figure(form, "share", Decimal("0.1"), 50),
        per=form.choice("per", list(PER)),
    )


def figure(form: Form, name: str, least: Decimal | int, most: Decimal | int) -> Decimal:
    """A percentage with one digit behind the point or comma."""
    raw = form.values.get(name, "").strip().replace(",", ".")
    try:
        value = Decimal(raw) if len(raw) < 8 else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not least <= value <= most or value != round(value, 1):
        what = N_(
            "A number from {least} to {most} is needed, with one digit behind the comma at most; we saw «{seen}»."
        )
        form.miss(name, what, least=least, most=most, seen=raw)
        return Decimal(least)
    return value
