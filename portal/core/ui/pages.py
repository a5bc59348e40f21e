"""Rendering: one Jinja environment over the core's and the features' templates, and what every page knows."""

from __future__ import annotations

import functools
import hashlib
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import Response
from litestar.enums import MediaType

from portal.core.i18n import ASTANA, LANGUAGES, N_, clock, current, day, day_time, number, of, t, when
from portal.core.jobs.titles import home_of, title_of
from portal.core.ui.devices import device
from portal.core.ui.navigation import menu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts.structs import StaffRequest

PORTAL = Path(__file__).parents[2]
STATIC = Path(__file__).parent / "static"


def local_input(value: datetime | None) -> str:
    """A time as `<input type=datetime-local>` wants it."""
    return value.astimezone(ASTANA).strftime("%Y-%m-%dT%H:%M") if value else ""


def said_value(value: Any) -> str:
    """A line's value as it was put away: a text with its values, a name in three languages, several of them, or plain."""
    if isinstance(value, list):
        return "; ".join(said_value(one) for one in value)
    if isinstance(value, dict):
        return t(value["text"], **value["values"]) if "text" in value else of(value)
    return str(value)


def minutes_to(value: datetime) -> int:
    """Whole minutes until then, rounded up."""
    return max(0, math.ceil((value - datetime.now(UTC)).total_seconds() / 60))


@functools.cache
def static(name: str) -> str:
    """The address of a static file; its digest in the query lets browsers keep it for ever."""
    file = STATIC / name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.exists() else "absent"
    return f"/static/{name}?v={digest}"


def _environment() -> Environment:
    folders = [Path(__file__).parent / "templates", *sorted(PORTAL.glob("features/*/templates"))]
    made = Environment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        _=t,
        of=of,
        day_time=day_time,
        when=when,
        day=day,
        clock=clock,
        number=number,
        static=static,
        said_value=said_value,
        job_title=title_of,
        job_home=home_of,
        local_input=local_input,
        languages=LANGUAGES,
        minutes_to=minutes_to,
        device_words=device,
    )
    return made


environment = _environment()


def render(name: str, **context: object) -> str:
    """A template as text."""
    return environment.get_template(name).render(**context)


def page(
    request: StaffRequest, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
) -> Response[str]:
    """A page or a fragment, with who is asking and his menu."""
    actor = request.scope["user"]
    settings = request.app.state.settings
    known: dict[str, object] = {
        "actor": actor,
        "project_name": of(actor.project_name) or t(N_("Myń Bala")),
        "csrf": actor.csrf,
        "path": request.url.path,
        "query": dict(request.query_params),
        "language": current(),
        "look": request.state.get("look", "auto"),
        "menu": menu(actor, request.url.path, demo=settings.demo),
        "demo": settings.demo,
        "fragment": bool(request.headers.get("hx-request")),
        **context,
    }
    # The components see the page's context: the form's secret, the address, the language.
    known["ui"] = environment.get_template("ui.html").make_module(known)
    html = render(name, **known)
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=dict(headers or {}))


def see_other(path: str) -> Response[str]:
    """After a change: go and look at it (so that reload repeats nothing)."""
    return Response("", status_code=303, headers={"location": path})


def onward(request: StaffRequest, address: str, name: str) -> Response[str]:
    """A page that leads on to another site by itself, without script.

    After a form this stands instead of a redirect: browsers hold `form-action 'self'` against where a form's redirects
    lead, too.
    """
    return page(request, "onward.html", address=address, goal=name)


__all__ = ["environment", "onward", "page", "render", "see_other", "static"]
