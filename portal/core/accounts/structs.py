"""Who is asking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State

from portal.core.i18n import Language
from portal.core.permissions.catalogue import EVERYBODY

PROJECT = "myn-bala"


class Grant(msgspec.Struct, frozen=True):
    """A role within a territory: a school, a region, or (both None) the country."""

    role: str
    region: str | None
    school: int | None
    permissions: frozenset[str]


class Scope(msgspec.Struct, frozen=True):
    """Where a permission holds. Every query over people or sittings takes one."""

    country: bool = False
    regions: tuple[str, ...] = ()
    schools: tuple[int, ...] = ()

    @property
    def parameters(self) -> tuple[bool, list[str], list[int]]:
        """As three parameters of a statement: `($n or region = any($n+1) or school = any($n+2))`."""
        return self.country, list(self.regions), list(self.schools)


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """The second person is waived until `ends_at`; every page of staff says so (SAFETY J5)."""

    id: int
    reason: str
    asked_by: int
    agreed_by: int
    asked_by_name: str
    agreed_by_name: str
    ends_at: datetime


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in member of staff, or nobody (`ANONYMOUS`). `limited`: this address asks too often just now.

    `unread`: his notices, a hundred at the most.
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
    limited: bool = False
    unread: int = 0
    waiver: Waiver | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is somebody."""
        return self.staff_id != 0

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles he holds anywhere."""
        return tuple(sorted({grant.role for grant in self.grants}))

    def may(self, permission: str) -> bool:
        """Whether he may do it somewhere."""
        return self.signed_in and (
            permission in EVERYBODY or any(permission in grant.permissions for grant in self.grants)
        )

    def scope(self, permission: str) -> Scope:
        """Where he may do it."""
        held = [grant for grant in self.grants if permission in grant.permissions]
        return Scope(
            country=any(grant.region is None and grant.school is None for grant in held),
            regions=tuple(sorted({grant.region for grant in held if grant.region and grant.school is None})),
            schools=tuple(sorted({grant.school for grant in held if grant.school})),
        )


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
