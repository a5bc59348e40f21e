"""What two persons decided in the portal about a sitting, as the parameters of its next run (SAFETY D2, J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scoring import queries
from scoring.structs import Correction, Decision, Exclusion, Parameters, TieAtLine

if TYPE_CHECKING:
    from scoring.queries import Connection


async def with_decided(db: Connection, sitting_id: int, asked: Parameters) -> Parameters:
    """`asked` with quota places, decisions, exclusions and corrections that stand now.

    The names of the two who agreed to a list from home are in the parameters, so every file of the run says them.
    """
    plan = await queries.quota_plan(db, sitting_id)
    if plan is not None and plan.places:
        asked = msgspec.structs.replace(
            asked,
            quota=plan.places,
            tie_at_line=TieAtLine(plan.tie_at_line),
            home_quota_agreed=(plan.asked_by, plan.agreed_by) if plan.from_home else (),
        )
    return msgspec.structs.replace(
        asked,
        decisions=tuple(Decision(*row) for row in await queries.waiting_decisions(db, sitting_id)),
        excluded=tuple(Exclusion(*row) for row in await queries.exclusions(db, sitting_id)),
        corrections=tuple(
            msgspec.convert(
                {"form_id": form, "code": code, "rule": msgspec.json.decode(rule) if rule else None}, Correction
            )
            for form, code, rule in await queries.item_rulings(db, sitting_id)
        ),
    )
