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
    "persons-check": N_("Reading the list of persons"),
    "persons-take": N_("Taking in the persons"),
    "persons-undo": N_("Taking the persons out again"),
    "persons-export": N_("Making the file"),
    "kpi-gather": N_("Counting into the KPI logs"),
    "list-export": N_("Making the file"),
    "talents-weigh": N_("Weighing the rules of the talents"),
    "watch-paper": N_("Making the paper of a case"),
    "consents-erase": N_("Erasing what withdrawn consents fed"),
}
HOMES: dict[str, Home] = {
    "import-check": lambda job_id, sitting_id, _: f"/sittings/{sitting_id}/import/{job_id}",
    "import-take": lambda _, sitting_id, payload: f"/sittings/{sitting_id}/import/{payload.get('check', '')}",
    "score": lambda _, sitting_id, __: f"/sittings/{sitting_id}/scores",
    "persons-check": lambda job_id, _, __: f"/persons/import/{job_id}",
    "persons-take": lambda _, __, payload: f"/persons/import/{payload.get('check', '')}",
    "persons-undo": lambda _, __, payload: f"/persons/import/{payload.get('check', '')}",
    "persons-export": lambda job_id, _, __: f"/persons/export/{job_id}",
    "list-export": lambda job_id, _, __: f"/exports/{job_id}",
    "talents-weigh": lambda _, __, ___: "/talents/rules",
    "watch-paper": lambda job_id, _, payload: f"/cases/{payload['attempt']}/paper/{job_id}",
    "consents-erase": lambda _, __, ___: "/erasures?which=done",
}


def title_of(kind: str) -> str:
    """A text of the catalogue."""
    return TITLES.get(kind, kind)


def home_of(kind: str, job_id: int, sitting_id: int | None, payload: Mapping[str, Any]) -> str:
    """Where its outcome is seen."""
    made = HOMES.get(kind)
    return made(job_id, sitting_id, payload) if made else "/"
