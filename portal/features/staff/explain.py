"""«Why may X do Y there?»: each grant held against each condition, in the order in which the portal asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_, Text, day, of, t
from portal.core.permissions.catalogue import BY_CODE, EVERYBODY, OF_PERSONS, PASSWORD_ALONE
from portal.core.permissions.modules import NAMES, module_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from portal.core.accounts.grant_rows import GrantRow
    from portal.core.territory import Spot


class Check(msgspec.Struct, frozen=True):
    """A condition: its sentence, and whether it holds."""

    text: Text
    holds: bool


class Held(msgspec.Struct, frozen=True):
    """A grant and what speaks for it and against it; `gives`: nothing is against it."""

    grant: GrantRow
    checks: list[Check]

    @property
    def gives(self) -> bool:
        """Whether this grant alone is enough."""
        return all(check.holds for check in self.checks)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`general` is about the login and the project, `held` about each grant; `notes` are what he has to do besides."""

    general: list[Check]
    held: list[Held]
    everybody: bool
    notes: list[Text]

    @property
    def may(self) -> bool:
        """Whether he may."""
        return all(check.holds for check in self.general) and (self.everybody or any(one.gives for one in self.held))


def explain(
    grants: Collection[GrantRow],
    permission: str,
    place: Spot,
    *,
    shut: bool,
    factor: bool | None,
    project: str,
    off: Collection[str],
    given: Collection[tuple[str, str]],
    at_rest: Collection[tuple[str, str]],
    now: datetime,
) -> Answer:
    """Judge a person's grants, ended ones too; grants that give it come first. `factor` None: is asked for none."""
    module = module_of(permission)
    general = [Check(Text(N_("The login is open")), not shut)]
    if module is not None:
        said = Text(N_("The module «{module}» is switched on in this project"), module=Text(NAMES[module]))
        general.append(Check(said, module not in off))
    held = [Held(grant, _checks(grant, permission, place, project, given, now)) for grant in grants]
    held.sort(key=lambda one: (not one.gives, one.grant.id))
    giving = [one.grant for one in held if one.gives]
    notes: list[Text] = []
    if giving and not any((grant.role, permission) in at_rest for grant in giving):
        notes.append(Text(N_("Only in a raised session, with a reason and an end.")))
    present = [grant for grant in grants if grant.ends_at > now and grant.project in {None, project}]
    if factor is not None and any((grant.role, PASSWORD_ALONE) not in given for grant in present):
        notes.append(
            Text(N_("After the second proof; app or key are there."))
            if factor
            else Text(
                N_("After the second proof; the person has neither app nor key yet and adds one at the next sign-in.")
            )
        )
    return Answer(general=general, held=held, everybody=permission in EVERYBODY, notes=notes)


def _checks(
    grant: GrantRow, permission: str, place: Spot, project: str, given: Collection[tuple[str, str]], now: datetime
) -> list[Check]:
    text = Text(BY_CODE[permission].text)
    checks = [
        Check(Text(N_("The role includes «{permission}»"), permission=text), (grant.role, permission) in given),
        Check(Text(N_("It is given in this project or in the whole house")), grant.project in {None, project}),
        Check(Text(N_("It holds until {day}"), day=day(grant.ends_at)), grant.ends_at > now),
        Check(Text(N_("Its territory covers the place")), covers(grant, place)),
    ]
    if grant.asleep_at is not None:
        checks.append(
            Check(Text(N_("It is awake; nobody has used it since {day}"), day=day(grant.used_at)), holds=False)
        )
    if grant.class_name or grant.own_pupils or (grant.teaches and permission in OF_PERSONS):
        checks.append(Check(Text(N_("It is about all pupils of its territory")), holds=False))
    return checks


def covers(grant: GrantRow, place: Spot) -> bool:
    """Whether the place lies within the grant's territory; the whole country lies within the whole country only."""
    if grant.school_id is not None:
        return grant.school_id == place.school
    if grant.district_id is not None:
        return grant.district_id == place.district
    return grant.region_code is None or grant.region_code == place.region


def named(place: Spot) -> str:
    """The place in the request's language."""
    return of(place.name) or t(N_("the whole country"))
