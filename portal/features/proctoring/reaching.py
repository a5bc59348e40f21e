"""Who may look at whose pictures after the sitting, and every look itself: on record before the picture is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from litestar import Response

from portal.core.i18n import N_
from portal.core.problems import NotThere, Problem
from portal.core.projects import project

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import StaffRequest
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

LOOK_LIMIT_S = 5.0
MOST_NAME = 80
# For so long an attempt is in a reviewer's hand, and what was opened beyond the queue stays open to who gave the reason.
IN_HAND = "30 minutes"
# Whoever it is proposed by or asked for: not oneself, one's child or pupil.
NOT_TIED = "(p.person_id is null or p.person_id <> all(array(select persons_of_ones_own({staff}))))"
# Nothing that a browser could do with it: it is a picture.
SANDBOX = {"content-security-policy": "default-src 'none'; sandbox"}


class PicturesAway(Problem):
    """The look service does not answer."""

    code = "pictures-away"
    status = 503
    title = N_("Pictures cannot be read just now.")
    advice = N_("Nothing is lost: they are kept. Try again in a minute.")


async def reach(db: Connection, actor: Actor, attempt: int, permission: str) -> int:
    """The sitting of an attempt within the person's territory, never of his own district or his own child or pupil (SAFETY R4)."""
    sitting_id = await db.fetchval(
        f"""
        select p.sitting_id
        from participant p
        join sitting s on s.id = p.sitting_id and s.project = $5
        join sitting_watch w on w.sitting_id = s.id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.id = $4 and {NOT_TIED.format(staff="$7")} and ($1 or d.region_code = any($2) or p.school_id = any($3))
            and not exists (select from school own where own.id = $6 and own.district_id = sc.district_id)
        """,
        *actor.scope(permission).parameters,
        *(attempt, project(), actor.own_school_id, actor.staff_id),
    )
    if sitting_id is None:
        raise NotThere
    return sitting_id


async def may_look(db: Connection, actor: Actor, attempt: int) -> bool:
    """Of an attempt that was reached: whether it is in his hand, opened with a reason of late, or a case that he may read."""
    return await db.fetchval(
        f"""
        select exists (
                select from watch_review_hand
                where attempt_id = $1 and staff_id = $2 and taken_at > now() - interval '{IN_HAND}')
            or exists (
                select from watch_opening
                where attempt_id = $1 and staff_id = $2 and at > now() - interval '{IN_HAND}')
            or exists (select from watch_case c where c.attempt_id = $1 and (
                exists (select from watch_ruling r where r.attempt_id = $1)
                or exists (select from watch_verdict v where v.attempt_id = $1 and v.made_by = $2)))
        """,
        *(attempt, actor.staff_id),
    )


async def may_read(db: Connection, staff_id: int, attempt: int) -> bool:
    """Blind second opinion: whether he may read what others said, for he said his own or the case is settled."""
    return await db.fetchval(
        """
        select exists (select from watch_ruling where attempt_id = $1)
            or exists (select from watch_verdict where attempt_id = $1 and made_by = $2)
        """,
        *(attempt, staff_id),
    )


async def look(db: Connection, staff_id: int, sitting_id: int, attempt: int, seq: int, reason: str = "") -> None:
    """A look at a picture, before it is shown."""
    await db.execute(
        "insert into watch_look (staff_id, attempt_id, sitting_id, seq, reason) values ($1, $2, $3, $4, $5)",
        *(staff_id, attempt, sitting_id, seq, reason),
    )


async def fetch(settings: PortalSettings, path: str, asked: dict[str, str]) -> tuple[bytes, str] | None:
    """A picture of the look service with the viewer's name in its pixels; None: absent, erased, sealed."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LOOK_LIMIT_S)) as client,
            client.get(
                f"{settings.proctoring_internal_url}/v1/look/{path}",
                params=asked,
                headers={"authorization": f"Bearer {settings.look_key}"},
            ) as answer,
        ):
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise PicturesAway
            return await answer.read(), answer.headers.get("content-type", "image/jpeg")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PicturesAway from error


def viewer(name: str, login: str) -> str:
    """Who looks, as it stands in the pixels: the login whole, the name as long as there is room."""
    return f"{name[: MOST_NAME - len(login) - 3]} ({login})"


async def reached(db: Connection, actor: Actor, attempt: int, permission: str) -> int:
    """The sitting of an attempt that he may look at now; otherwise it is not there."""
    sitting_id = await reach(db, actor, attempt, permission)
    if not await may_look(db, actor, attempt):
        raise NotThere
    return sitting_id


async def give(request: StaffRequest, db: Connection, sitting_id: int, attempt: int, seq: int) -> Response[bytes]:
    """The picture that the address names, for who may look at the attempt: the look is on record first."""
    at = read_moment(request.query_params.get("at", ""))
    if not 0 <= seq < 2**31:
        raise NotThere
    actor = request.scope["user"]
    await look(db, actor.staff_id, sitting_id, attempt, seq)
    small = "1" if request.query_params.get("small") == "1" else "0"
    asked = {"at": str(at), "small": small}
    return await shown(request.app.state.settings, actor, f"{sitting_id}/{attempt}/{seq}", asked)


async def shown(settings: PortalSettings, actor: Actor, path: str, asked: dict[str, str]) -> Response[bytes]:
    """The picture for this viewer's page."""
    found = await fetch(settings, path, {"by": viewer(actor.full_name, actor.login), **asked})
    if found is None:
        raise NotThere
    return Response(found[0], media_type=found[1], headers=SANDBOX)


def read_moment(value: str) -> int:
    """The time that names a picture; what is no such number names none."""
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise NotThere
    return int(value)
