"""The portal's modules: a permission belongs to the one that its first word names, and a project has each on or off."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.permissions.catalogue import ALL

# First word of a permission → its module. What is not here is the house itself and cannot be switched off: accounts,
# roles, the audit trail.
MODULE_OF = {
    "sitting": "sittings",
    "participant": "participants",
    "slip": "participants",
    "room": "live",
    "live": "live",
    "control": "live",
    "watch": "proctoring",
    "receipt": "receipts",
    "rescue": "receipts",
    "score": "results",
    "incident": "incidents",
    "person": "registry",
    "attribute": "registry",
    "consent": "registry",
    "place": "registry",
    "portfolio": "registry",
    "tie": "registry",
    "kpi": "kpi",
    "review": "reviews",
    "registration": "registration",
    "talent": "talents",
}
NAMES = {
    "sittings": N_("Sittings"),
    "participants": N_("Pupils"),
    "live": N_("During the sitting"),
    "proctoring": N_("Proctoring"),
    "receipts": N_("Receipts and rescue files"),
    "results": N_("Results"),
    "incidents": N_("Status page"),
    "registry": N_("Registry"),
    "registration": N_("Registration"),
    "talents": N_("Talents"),
    "kpi": N_("KPI log"),
    "reviews": N_("Reviews"),
}


def module_of(permission: str) -> str | None:
    """The module of a permission; None: the house itself, always on."""
    return MODULE_OF.get(permission.partition(".")[0])


# Those that have anything to open, in the order of NAMES.
MODULES: dict[str, str] = {
    code: text for code, text in NAMES.items() if any(module_of(permission.code) == code for permission in ALL)
}
