"""What every page of results shares: the sitting's tabs, the run's own row of links, and the sitting as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.i18n import t
from portal.core.sittings import find_head, require_whole, tabs
from portal.core.ui.pages import page
from portal.features.scores import queries
from portal.features.scores.problems import NotScoredYet

if TYPE_CHECKING:
    from litestar import Response

    from portal.core.accounts import Actor, StaffRequest
    from portal.core.db import Connection
    from portal.core.sittings import SittingHead
    from portal.features.scores.structs import RunRow

DECIDE = "score.decide"


def room(
    request: StaffRequest, head: SittingHead, run: RunRow | None, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A page of a sitting's results."""
    actor = request.scope["user"]
    rooms = [(path, t(text)) for path, text in tabs(actor, head)]
    return page(
        request,
        template,
        status=status,
        sitting=head,
        tabs=rooms,
        run=run,
        base=f"/sittings/{head.id}/scores",
        **context,
    )


async def whole_sitting(db: Connection, actor: Actor, sitting_id: int, *, lock: bool = False) -> SittingHead:
    """The sitting, for who may decide about all of it: a decision moves the places of others."""
    head = await find_head(db, sitting_id, actor.scope(DECIDE), lock=lock)
    require_whole(head, actor.scope(DECIDE))
    return head


async def newest_run(db: Connection, head: SittingHead) -> RunRow:
    """The newest run. Scoring makes none before the last window of the form is over (SAFETY J6), so it shows that."""
    runs = await queries.runs(db, head.id)
    if not runs:
        raise NotScoredYet
    return runs[0]
