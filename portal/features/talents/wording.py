"""The values of a reason as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.i18n import N_, of, t

if TYPE_CHECKING:
    from collections.abc import Mapping


def why_in(reason: Mapping[str, Any]) -> str:
    """Why somebody is in the talents, in the language of the page."""
    if "marks" in reason:
        return t(
            N_("high in {times} sittings: {marks}"),
            times=reason["times"],
            marks="; ".join(
                t(N_("{sitting} (run {run}): percentile {percentile}"), **_values(mark)) for mark in reason["marks"]
            ),
        )
    if reason["per"] == "region":
        return t(N_("place {rank} of {of} in the region: {sitting} (run {run})"), **_values(reason))
    return t(N_("place {rank} of {of} in the country: {sitting} (run {run})"), **_values(reason))


def _values(reason: Mapping[str, Any]) -> dict[str, object]:
    return {**{name: reason[name] for name in reason if name != "sitting"}, "sitting": of(reason["sitting"])}
