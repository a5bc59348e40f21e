"""The table of projects × modules: what is off is not there, by its address and in the menu."""

from __future__ import annotations

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows, require_country
from portal.core.permissions.modules import MODULES
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other


@get("/modules", guards=[allows("module.edit")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """Which module is in use where."""
    require_country(request.scope["user"], "module.edit")
    return page(request, "modules/list.html", modules=MODULES, projects=await projects(db), off=await _off(db))


@post("/modules", guards=[allows("module.edit")])
async def switch(request: StaffRequest, db: Connection) -> Response[str]:
    """From the next click of everybody on; what was entered in a module that is off is kept."""
    actor = request.scope["user"]
    require_country(actor, "module.edit")
    form = Form(await request.form())
    # Boxes that are off are not sent: a form that lost its fields would switch everything off.
    if not form.ticked("whole"):
        return see_other("/modules")
    pairs = [(one.code, module) for one in await projects(db) for module in MODULES]
    wished = {tuple(text.split(":")) for text in form.choices("on", [":".join(pair) for pair in pairs])}
    async with db.transaction():
        off = await _off(db)
        for project, module in pairs:
            is_on = (project, module) in wished
            if is_on is not ((project, module) in off):
                continue
            await db.execute(
                """
                insert into project_module (project, module, is_on) values ($1, $2, $3)
                on conflict (project, module) do update set is_on = excluded.is_on
                """,
                *(project, module, is_on),
            )
            await audit.record(
                db,
                actor,
                "module.module.switched",
                kind="module",
                object_id=f"{project}/{module}",
                before={"on": not is_on},
                after={"on": is_on},
            )
    return see_other("/modules")


async def _off(db: Connection) -> set[tuple[str, str]]:
    rows = await db.fetch("select project, module from project_module where not is_on order by project, module")
    return {(row["project"], row["module"]) for row in rows}


ROUTES = [show, switch]
