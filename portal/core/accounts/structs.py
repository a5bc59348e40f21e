"""Who is asking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State

from portal.core.i18n import Language
from portal.core.permissions.catalogue import EVERYBODY, OF_PERSONS
from portal.core.permissions.modules import module_of
from portal.core.projects import PROJECT, Project


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role within a territory: the country, a region, a district, a school, a class of it, or the own pupils.

    `permissions` are those that hold now; `raised_only` those of a role that works in raised sessions and has none.
    `registers`: a role that people register for, none of staff. `teaches`: of persons it reaches a class and own pupils alone.
    """

    id: int
    role: str
    name: dict[str, str]
    project: str | None
    region: str | None = None
    district: int | None = None
    district_schools: tuple[int, ...] = ()
    school: int | None = None
    class_name: str = ""
    own_pupils: bool = False
    registers: bool = False
    teaches: bool = False
    used_at: datetime
    permissions: frozenset[str]
    raised_only: frozenset[str] = frozenset()

    @property
    def country(self) -> bool:
        """Whether it holds everywhere."""
        return self.region is None and self.district is None and self.school is None and self.of_everybody

    @property
    def of_everybody(self) -> bool:
        """Whether it is about all pupils of its territory. One of a class or of own pupils widens no list of a school."""
        return not self.class_name and not self.own_pupils

    def of_all(self, permission: str) -> bool:
        """The same for a permission: of a role that teaches, nothing about persons is."""
        return self.of_everybody and not (self.teaches and permission in OF_PERSONS)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some pupils of a place: a class of schools, or who is attached to a person (in a project; None: in any)."""

    schools: tuple[int, ...] | None = None
    class_name: str = ""
    attached_to: int | None = None
    project: str | None = None
    region: str | None = None


class Scope(msgspec.Struct, frozen=True):
    """Where a permission holds. Every query over people or sittings takes one.

    `parts` are classes and own pupils; which persons those are, `portal.core.scope` looks up as it tells Postgres, and puts
    into `members`. Only queries over persons and pupils use these; for all others a class is no part of its school.
    """

    country: bool = False
    regions: tuple[str, ...] = ()
    schools: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    members: tuple[int, ...] = ()

    @property
    def parameters(self) -> tuple[bool, list[str], list[int]]:
        """As three parameters of a statement: `($n or region = any($n+1) or school = any($n+2))`."""
        return self.country, list(self.regions), list(self.schools)

    @property
    def of_pupils(self) -> tuple[bool, list[str], list[int], list[int], list[int], list[str]]:
        """As six, for pupils of a sitting (`portal.core.sittings.REACHED`): `members` too, and who sits there as of a class."""
        classes = [(school, part.class_name) for part in self.parts if part.class_name for school in part.schools or ()]
        return (
            *self.parameters,
            *(list(self.members), [school for school, _ in classes], [name for _, name in classes]),
        )

    def covers(self, other: Scope) -> bool:
        """Whether it holds all that another names: what was made for a territory is not for who has moved on."""
        return self.country or (
            not other.country
            and set(other.regions) <= set(self.regions)
            and set(other.schools) <= set(self.schools)
            and set(other.parts) <= set(self.parts)
        )


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """The second person is waived until `ends_at`; every page of staff says so (SAFETY J5)."""

    id: int
    reason: str
    asked_by: int
    agreed_by: int
    asked_by_name: str
    agreed_by_name: str
    ends_at: datetime


class Raised(msgspec.Struct, frozen=True):
    """A raised session: what a super-admin may beyond reading, for a reason, until an end."""

    reason: str
    ends_at: datetime


class SeenAs(msgspec.Struct, frozen=True, kw_only=True):
    """The person looks at the house as this role there; he changes nothing meanwhile."""

    role: str
    name: dict[str, str]
    region: str | None
    school: int | None
    ends_at: datetime


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in member of staff, or nobody (`ANONYMOUS`). `limited`: this address asks too often just now.

    `grants` are those of the session's project and of the house, awake and not ended; as long as a second factor is
    wanted (`wants_factor`) there are none. `off`: the project's modules that are switched off.
    `unread`: his notices, a hundred at the most. `person_id`: his own row of the registry, if anybody said which it is;
    `registered`: he made this login himself.
    """

    staff_id: int
    login: str
    full_name: str
    language: Language | None
    own_school_id: int | None
    grants: tuple[Grant, ...]
    csrf: str
    session: bytes
    address: str
    person_id: int | None = None
    registered: bool = False
    limited: bool = False
    unread: int = 0
    waiver: Waiver | None = None
    project: str = PROJECT
    projects: tuple[Project, ...] = ()
    off: frozenset[str] = frozenset()
    wants_factor: bool = False
    may_raise: bool = False
    raised: Raised | None = None
    seen_as: SeenAs | None = None
    own_roles: tuple[str, ...] = ()

    @property
    def signed_in(self) -> bool:
        """Whether this is somebody."""
        return self.staff_id != 0

    @property
    def is_staff(self) -> bool:
        """Whether he works here; else he is shown what is his own. Before the second factor nobody knows."""
        return not self.registered or self.wants_factor or any(not grant.registers for grant in self.grants)

    @property
    def acting_as(self) -> str:
        """For the trail: the roles, and the one that is looked through."""
        roles = ", ".join(self.own_roles) or "-"
        return f"{roles} → {self.seen_as.role}" if self.seen_as else roles

    @property
    def project_name(self) -> dict[str, str] | None:
        """The session's project, in three languages."""
        return next((one.name for one in self.projects if one.code == self.project), None)

    @property
    def role_names(self) -> list[dict[str, str]]:
        """The roles in whose right he acts, in three languages."""
        return list({grant.role: grant.name for grant in self.grants}.values())

    def may(self, permission: str) -> bool:
        """Whether he may do it somewhere, now."""
        return (
            self.signed_in
            and module_of(permission) not in self.off
            and (permission in EVERYBODY or any(permission in grant.permissions for grant in self.grants))
        )

    def may_raised(self, permission: str) -> bool:
        """Whether a raised session would let him."""
        return any(permission in grant.raised_only for grant in self.grants)

    def scope(self, permission: str) -> Scope:
        """Where he may do it; classes and own pupils apart, for the queries that know them."""
        given = [grant for grant in self.grants if permission in grant.permissions]
        held = [grant for grant in given if grant.of_all(permission)]
        schools = {grant.school for grant in held if grant.school}
        return Scope(
            country=any(grant.country for grant in held),
            regions=tuple(sorted({grant.region for grant in held if grant.region and grant.school is None})),
            schools=tuple(sorted(schools.union(*(grant.district_schools for grant in held)))),
            parts=tuple(
                part for grant in given if not grant.of_all(permission) and (part := self._part(grant)) is not None
            ),
        )

    def _part(self, grant: Grant) -> Part | None:
        """What a grant of a class or of own pupils (of a role that teaches: any other too) means; nothing for a login without a row of the registry."""
        if grant.class_name:
            return Part(schools=(grant.school,) if grant.school else (), class_name=grant.class_name)
        if self.person_id is None:
            return None
        schools = (grant.school,) if grant.school else grant.district_schools if grant.district else None
        return Part(schools=schools, attached_to=self.person_id, project=grant.project, region=grant.region)


ANONYMOUS = Actor(
    staff_id=0,
    login="",
    full_name="",
    language=None,
    own_school_id=None,
    grants=(),
    csrf="",
    session=b"",
    address="",
)

# Litestar's request is generic in user, auth and state; auth is not used.
StaffRequest = Request[Actor, Any, State]
