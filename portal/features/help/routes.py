"""Pages that explain."""

from __future__ import annotations

from ipaddress import ip_address

from litestar import Response, get

from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.permissions import allows, public
from portal.core.permissions.roles import all_roles
from portal.core.problems import NotThere
from portal.core.ui.occupations import INDUSTRIES, PROFESSIONS
from portal.core.ui.pages import page

# What the seed writes into the setting `demo`, before it has.
NOT_FILLED: dict[str, object] = {
    "logins": [],
    "slips": [],
    "open_sitting": None,
    "played_sitting": None,
    "class_code": "",
}


@get("/help", guards=[public])
async def help_page(request: StaffRequest) -> Response[str]:
    """The day of a sitting in short, and whom to ask."""
    return page(request, "help/help.html")


@get("/demo", guards=[public])
async def demo(request: StaffRequest, db: Connection) -> Response[str]:
    """Logins, slips and what to try; there is no such page outside of a demo."""
    if not request.app.state.settings.demo or not by_address(request.url.hostname or ""):
        raise NotThere
    value = await db.fetchval("select value from setting where name = 'demo'")
    names = {role.code: role.name for role in await all_roles(db)}
    return page(
        request,
        "help/demo.html",
        role_names=names,
        known=NOT_FILLED | (value if isinstance(value, dict) else {}),
        player_url=request.app.state.settings.player_url,
    )


def by_address(host: str) -> bool:
    """Whether a page was asked for by this machine's address, not by a name: a stranger's page may own any name (rebinding)."""
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@get("/style", guards=[allows("own.account")])
async def style(request: StaffRequest) -> Response[str]:
    """Every component of the design system with its states."""
    return page(request, "help/style.html", industries=INDUSTRIES, professions=PROFESSIONS)


ROUTES = [help_page, demo, style]
