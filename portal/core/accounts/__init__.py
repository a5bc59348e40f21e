"""Staff: who signs in, what he may where, and the sessions that remember him."""

from __future__ import annotations

from portal.core.accounts.staff import create_staff, end_grant, give_role, set_password
from portal.core.accounts.structs import ANONYMOUS, Actor, Grant, Scope, StaffRequest

__all__ = [
    "ANONYMOUS",
    "Actor",
    "Grant",
    "Scope",
    "StaffRequest",
    "create_staff",
    "end_grant",
    "give_role",
    "set_password",
]
