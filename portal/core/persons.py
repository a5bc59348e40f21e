"""Words of the registry that more than one feature says: projects, roles in them, languages."""

from __future__ import annotations

from portal.core.i18n import N_

PROJECTS: dict[str, str] = {"myn-bala": N_("Myń Bala"), "qabilet": N_("Qabilet"), "birge-oqy": N_("Birge Oqý")}
ROLES: dict[str, dict[str, str]] = {
    "myn-bala": {
        "pupil": N_("pupil"),
        "coordinator": N_("coordinator"),
        "manager": N_("manager of a school"),
    },
    "qabilet": {
        "test-taker": N_("test taker"),
        "teacher": N_("teacher"),
        "specialist": N_("Qabilet specialist"),
        "coordinator": N_("coordinator"),
    },
    "birge-oqy": {
        "pupil": N_("pupil"),
        "teacher": N_("teacher"),
        "tutor": N_("tutor"),
        "assistant": N_("assistant"),
        "coordinator": N_("coordinator"),
    },
}
ROLE_NAMES: dict[str, str] = {code: text for roles in ROLES.values() for code, text in roles.items()}
SEXES: dict[str, str] = {"f": N_("female"), "m": N_("male")}
LANGUAGE_NAMES: dict[str, str] = {"kk": N_("Kazakh"), "ru": N_("Russian"), "en": N_("English")}
