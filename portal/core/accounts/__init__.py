"""Staff: who signs in, what he may where, and the sessions that remember him."""

from __future__ import annotations

from portal.core.accounts.grants import Place, end_grant, give_role, school_year_end
from portal.core.accounts.staff import create_staff, forget_login, set_password
from portal.core.accounts.structs import ANONYMOUS, Actor, Grant, Scope, StaffRequest

__all__ = [
    "ANONYMOUS",
    "Actor",
    "Grant",
    "Place",
    "Scope",
    "StaffRequest",
    "create_staff",
    "end_grant",
    "forget_login",
    "give_role",
    "school_year_end",
    "set_password",
]
