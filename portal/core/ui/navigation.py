"""The menu at the left and what the search offers besides: what a person's roles let him open, by the part of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_, t

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor


class Entry(msgspec.Struct, frozen=True):
    """A line of the menu."""

    path: str
    text: str
    icon: str
    permission: str
    current: bool = False


class Section(msgspec.Struct, frozen=True):
    """Lines that belong together; the person may fold them away. Without a title they always stand."""

    code: str
    title: str
    entries: tuple[Entry, ...]


SECTIONS = (
    Section(
        "start",
        "",
        (
            Entry("/", N_("Overview"), "house", "own.account"),
            Entry("/own", N_("Your registration"), "contact", "own.account"),
            Entry("/me", N_("My card"), "user", "own.account"),
        ),
    ),
    Section(
        "sitting",
        N_("Testing"),
        (
            Entry("/sittings", N_("Sittings"), "calendar-clock", "sitting.view"),
            Entry("/live", N_("Live"), "radio", "live.view"),
            Entry("/acts", N_("Second person"), "user-check", "act.decide"),
            Entry("/waiver", N_("Outage"), "triangle-alert", "act.waive"),
            Entry("/incidents", N_("Status page"), "message-square", "incident.write"),
            Entry("/safety", N_("Sealed pictures"), "lock", "watch.safety"),
            Entry("/receipts", N_("Receipts"), "clipboard-check", "receipt.check"),
            Entry("/scores", N_("Results"), "chart-column", "score.view"),
        ),
    ),
    Section(
        "people",
        N_("People"),
        (
            Entry("/persons", N_("Registry"), "contact", "person.view"),
            Entry("/registrations", N_("Registrations"), "user-check", "registration.confirm"),
            Entry("/consent-texts", N_("Texts of consents"), "file-text", "consent.text"),
            Entry("/erasures", N_("Erasing"), "ban", "consent.erase"),
            Entry("/places", N_("Territory and schools"), "map-pin", "place.view"),
            Entry("/talents", N_("Talents"), "trophy", "talent.view"),
            Entry("/talents/rules", N_("Rules of the talents"), "list-checks", "talent.rule"),
            Entry("/reviews", N_("Reviews"), "message-square", "review.moderate"),
        ),
    ),
    Section(
        "house",
        N_("The house"),
        (
            Entry("/staff", N_("Staff"), "users", "staff.view"),
            Entry("/roles", N_("Roles"), "shield-check", "staff.view"),
            Entry("/grants", N_("Ending roles"), "history", "staff.edit"),
            Entry("/why", N_("Who may what"), "circle-help", "staff.view"),
            Entry("/modules", N_("Modules"), "settings", "module.edit"),
            Entry("/machines", N_("Joined systems"), "plug", "machine.view"),
            Entry("/sign-on/providers", N_("Sign-in through others"), "key-round", "signon.edit"),
            Entry("/sign-on/systems", N_("Single sign-on"), "log-in", "signon.edit"),
            Entry("/outbox", N_("Outbox"), "send", "post.view"),
            Entry("/audit", N_("Audit trail"), "scroll-text", "audit.view"),
        ),
    ),
    Section("end", "", (Entry("/help", N_("Help"), "life-buoy", "own.account"),)),
)
DEMO = Entry("/demo", N_("Demo"), "info", "public")
# What is done often and is no page of the menu: the search offers it.
ACTS = (
    Entry("/sittings/new", N_("New sitting"), "plus", "sitting.edit"),
    Entry("/persons/new", N_("New person"), "plus", "person.edit"),
    Entry("/persons/import", N_("Import persons"), "file-up", "person.import"),
    Entry("/schools", N_("Schools and centres"), "school", "place.view"),
    Entry("/staff/new", N_("New login"), "plus", "staff.edit"),
    Entry("/account", N_("Your account"), "user", "own.account"),
    Entry("/notices", N_("Notices"), "bell", "own.account"),
    Entry("/history", N_("Your history"), "history", "own.account"),
)


def menu(actor: Actor, path: str, *, demo: bool) -> list[Section]:
    """The entries a person may open, in their sections; the one he is in is marked: the longest that fits the address."""
    open_ = [entry for section in SECTIONS for entry in section.entries if _may(actor, entry)]
    fitting = [one.path for one in open_ if path == one.path or (one.path != "/" and path.startswith(f"{one.path}/"))]
    here = max(fitting, key=len, default="")
    shown: list[Section] = []
    for section in SECTIONS:
        entries = [msgspec.structs.replace(one, current=one.path == here) for one in section.entries if one in open_]
        if demo and section.code == "end":
            entries.append(msgspec.structs.replace(DEMO, current=path == DEMO.path))
        if entries:
            shown.append(Section(section.code, section.title, tuple(entries)))
    return shown


def found(actor: Actor, words: str) -> list[Entry]:
    """Pages and acts whose name has a word that begins with each word asked for; all of them if nothing is."""
    asked = words.lower().split()
    offered = [*(entry for section in SECTIONS for entry in section.entries), *ACTS]
    return [
        entry
        for entry in offered
        if _may(actor, entry)
        and all(any(word.startswith(one) for word in t(entry.text).lower().split()) for one in asked)
    ]


def _may(actor: Actor, entry: Entry) -> bool:
    # Who registered has his card for an overview, and until there is one the page of his registration; who works here and
    # is nobody of the registry has neither.
    own = actor.person_id is not None
    unfit = {"/": not actor.is_staff, "/own": own or not actor.registered, "/me": not own}
    if unfit.get(entry.path):
        return False
    return actor.may(entry.permission) and not actor.wants_factor
