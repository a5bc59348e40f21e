"""What can wait for a second person; each feature registers its own acts with the function that does them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.acts.pending import Pending
    from portal.core.db import Connection


class Act(msgspec.Struct, frozen=True):
    """An act: its sentence, the permission both persons need, and what does it (inside the deciding transaction).

    `waivable`: one person may do it while a waiver is in force (SAFETY J5); nothing that moves results is.
    `with_key`: who agrees confirms with his security key. `of_house`: it belongs to no project and is decided in any.
    """

    code: str
    text: str
    permission: str
    perform: Callable[[Connection, Actor, Pending, PortalSettings], Awaitable[None]]
    waivable: bool = False
    with_key: bool = False
    of_house: bool = False


ACTS: dict[str, Act] = {}


def register(act: Act) -> Act:
    """Make an act known; a code is registered once."""
    if act.code in ACTS:
        msg = f"The act {act.code!r} is registered twice."
        raise ValueError(msg)
    ACTS[act.code] = act
    return act
