"""Consents (SAFETY P6): the records, the texts that are agreed to, what each purpose feeds, and its erasing."""

from __future__ import annotations

from portal.core.consents.feeds import Line, feeds, nothing, withdraw
from portal.core.consents.records import (
    CHANNELS,
    PURPOSES,
    RELATIONS,
    REPRESENTATIVES,
    Consent,
    NewConsent,
    age_of_consent,
    holds,
    of_age,
    of_person,
    record,
)

__all__ = [
    "CHANNELS",
    "PURPOSES",
    "RELATIONS",
    "REPRESENTATIVES",
    "Consent",
    "Line",
    "NewConsent",
    "age_of_consent",
    "feeds",
    "holds",
    "nothing",
    "of_age",
    "of_person",
    "record",
    "withdraw",
]
