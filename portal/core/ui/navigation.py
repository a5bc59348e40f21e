"""The menu at the left: what a person's roles let him open, in the order of a sitting's life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor


class Entry(msgspec.Struct, frozen=True):
    """A line of the menu."""

    path: str
    text: str
    icon: str
    permission: str
    current: bool = False


ENTRIES = (
    Entry("/", N_("Overview"), "house", "own.account"),
    Entry("/sittings", N_("Sittings"), "calendar-clock", "sitting.view"),
    Entry("/persons", N_("Registry"), "contact", "person.view"),
    Entry("/talents", N_("Talents"), "trophy", "talent.view"),
    Entry("/talents/rules", N_("Rules of the talents"), "list-checks", "talent.rule"),
    Entry("/live", N_("Live"), "radio", "live.view"),
    Entry("/acts", N_("Second person"), "user-check", "act.decide"),
    Entry("/waiver", N_("Outage"), "triangle-alert", "act.waive"),
    Entry("/incidents", N_("Status page"), "message-square", "incident.write"),
    Entry("/receipts", N_("Receipts"), "clipboard-check", "receipt.check"),
    Entry("/scores", N_("Results"), "chart-column", "score.view"),
    Entry("/staff", N_("Staff"), "users", "staff.view"),
    Entry("/roles", N_("Roles"), "shield-check", "staff.view"),
    Entry("/grants", N_("Ending roles"), "history", "staff.edit"),
    Entry("/why", N_("Who may what"), "circle-help", "staff.view"),
    Entry("/modules", N_("Modules"), "settings", "module.edit"),
    Entry("/sign-on/providers", N_("Sign-in through others"), "key-round", "signon.edit"),
    Entry("/sign-on/systems", N_("Joined systems"), "users", "signon.edit"),
    Entry("/outbox", N_("Outbox"), "send", "post.view"),
    Entry("/audit", N_("Audit trail"), "scroll-text", "audit.view"),
    Entry("/help", N_("Help"), "life-buoy", "own.account"),
)
DEMO = Entry("/demo", N_("Demo"), "info", "public")


def menu(actor: Actor, path: str, *, demo: bool) -> list[Entry]:
    """The entries a person may open; the one he is in is marked."""
    shown = [entry for entry in ENTRIES if actor.may(entry.permission) and not actor.wants_factor]
    if demo:
        shown.append(DEMO)
    return [
        msgspec.structs.replace(
            entry, current=path == entry.path or (entry.path != "/" and path.startswith(f"{entry.path}"))
        )
        for entry in shown
    ]
