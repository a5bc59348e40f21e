"""Whether the rules are fair: how often children are flagged by device, region and light, in words and bars."""

from __future__ import annotations

from litestar import Response, get

from portal.core import territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.sittings import find_head, require_whole
from portal.core.ui.pages import page
from proctoring.risk.fairness import LEAST, Share, children_of, shares

QUESTIONS: dict[str, str] = {"device": N_("By device"), "region": N_("By region"), "light": N_("By light")}
GROUPS: dict[str, str] = {
    "tablet": N_("tablet"),
    "iPhone": N_("iPhone"),
    "Android phone": N_("Android phone"),
    "computer": N_("computer"),
    "unknown": N_("unknown"),
    "dark": N_("dark"),
    "dim": N_("dim"),
    "light": N_("light"),
    "not checked": N_("no picture was checked"),
}
# So many times the whole's share is said aloud; a group may be this much off by chance.
OFTEN, SELDOM = 1.5, 0.67


@get("/sittings/{sitting_id:int}/fairness", guards=[allows("watch.review")])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Groups of twenty and more; of the whole sitting, so for those who have all of it."""
    scope = request.scope["user"].scope("watch.review")
    head = await find_head(db, sitting_id, scope)
    require_whole(head, scope)
    found = shares(await children_of(db, sitting_id))
    names = {one.code: one.name for one in await territory.regions(db)}
    return page(
        request,
        "proctoring/fairness.html",
        sitting=head,
        whole=found[0] if found else None,
        questions=[(text, [one for one in found if one.by == by]) for by, text in QUESTIONS.items()],
        most=max((one.flagged for one in found), default=0.0) or 1.0,
        names=GROUPS,
        regions=names,
        said=_said,
        least=LEAST,
    )


def _said(one: Share) -> str:
    """A bar's word: which way it leans."""
    if one.times is None:
        return ""
    return "often" if one.times >= OFTEN else "seldom" if one.times <= SELDOM else "like"


ROUTES = [show]
