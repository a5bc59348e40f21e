"""What a person fills into the form of a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.controls.rules import ASKED_AHEAD, LINK, MOST_MINUTES, MOST_TEXT
from portal.core.controls.structs import Wish
from portal.core.i18n import N_, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from portal.core.forms import Form


def read_wish(form: Form, kind: str, items: Mapping[str, int], now: datetime) -> Wish | None:
    """What the person filled in; None when `form.errors` says why not. `items`: code → id on the wire."""
    if kind == "extra":
        minutes = form.integer("minutes", least=1, most=MOST_MINUTES)
        return None if form.errors else Wish(kind=kind, minutes=minutes)
    if kind == "restart":
        return _read_restart(form, now)
    if kind not in {"message", "erratum"}:
        return Wish(kind=kind)
    texts = form.texts("text", most=MOST_TEXT)
    for language in ("kk", "ru", "en"):
        # Cut first: what is too long is refused anyway, and must not cost the others their time.
        if LINK.search(texts[language][:MOST_TEXT]):
            form.miss(f"text_{language}", N_("A message holds no address of a site: a pupil must not be led away."))
    code = form.values.get("item", "")
    if kind == "erratum" and code not in items:
        form.miss("item", N_("Please choose the question."))
    if form.errors:
        return None
    return Wish(kind=kind, text=texts, item=items.get(code), item_name=code)


def _read_restart(form: Form, now: datetime) -> Wish | None:
    starts = form.moment("starts_at")
    minutes = form.integer("entry_min", least=1, most=120, default=15)
    if starts is not None and starts < now + ASKED_AHEAD:
        form.miss(
            "starts_at",
            N_("At least {minutes} minutes ahead, so that a second person can agree and every pupil hears of it."),
            minutes=number(int(ASKED_AHEAD.total_seconds()) // 60),
        )
    return None if form.errors else Wish(kind="restart", starts_at=starts, entry_minutes=minutes)
