"""What each kind of job is called, and the page where its outcome is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Home = Callable[[int, int | None, Mapping[str, Any]], str]

TITLES: dict[str, str] = {
    "import-check": N_("Reading the list of pupils"),
    "import-take": N_("Taking in the pupils"),
    "score": N_("Scoring"),
}
HOMES: dict[str, Home] = {
    "import-check": lambda job_id, sitting_id, _: f"/sittings/{sitting_id}/import/{job_id}",
    "import-take": lambda _, sitting_id, payload: f"/sittings/{sitting_id}/import/{payload.get('check', '')}",
    "score": lambda _, sitting_id, __: f"/sittings/{sitting_id}/scores",
}


def title_of(kind: str) -> str:
    """A text of the catalogue."""
    return TITLES.get(kind, kind)


def home_of(kind: str, job_id: int, sitting_id: int | None, payload: Mapping[str, Any]) -> str:
    """Where its outcome is seen."""
    made = HOMES.get(kind)
    return made(job_id, sitting_id, payload) if made else "/"
