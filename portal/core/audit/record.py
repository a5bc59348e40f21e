"""Writing a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core.audit.acts import ACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

Fact = msgspec.Struct | dict[str, object] | None


async def record(
    db: Connection,
    actor: Actor,
    act: str,
    *,
    kind: str,
    object_id: object,
    before: Fact = None,
    after: Fact = None,
    reason: str = "",
) -> None:
    """One record by the person who asks; inside the transaction of the change."""
    await record_for(
        db,
        staff_id=actor.staff_id or None,
        acting_as=actor.acting_as,
        address=actor.address,
        act=act,
        kind=kind,
        object_id=object_id,
        before=before,
        after=after,
        reason=reason,
    )


async def record_for(
    db: Connection,
    *,
    staff_id: int | None,
    acting_as: str,
    address: str,
    act: str,
    kind: str,
    object_id: object,
    before: Fact = None,
    after: Fact = None,
    reason: str = "",
) -> None:
    """One record for a job or a command, which has no request."""
    if act not in ACTS:
        msg = f"{act!r} has no sentence in portal/core/audit/acts.py"
        raise ValueError(msg)
    await db.execute(
        """
        insert into audit (staff_id, acting_as, address, act, object_kind, object_id, before, after, reason,
                           previous_hash, hash)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '')
        """,
        *(staff_id, acting_as, address, act, kind, str(object_id), _plain(before), _plain(after), reason),
    )


def _plain(fact: Fact) -> Mapping[str, object] | None:
    return None if fact is None else msgspec.to_builtins(fact, str_keys=True)
