"""What a proctor does to a child in his hands: warn, pause, let go on, give time, end; and the sampling of own words.

Each is a control like any other (portal.core.controls). Warning and pausing are the proctor's; time and end are done at
once by who may (`control.time`, `control.end`), and put before such a person by who may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit, controls
from portal.core.accounts import StaffRequest
from portal.core.controls import rules
from portal.core.controls.problems import NotRunning
from portal.core.controls.structs import Wish
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import LANGUAGES, N_
from portal.core.permissions import allows
from portal.core.problems import NotThere, Problem
from portal.core.sittings import find_head
from portal.core.ui.listing import listing
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import deeds
from portal.features.proctoring.child import child_page
from portal.features.proctoring.hands import mine
from portal.features.proctoring.sentences import SENTENCES, in_all_languages

if TYPE_CHECKING:
    from portal.core.controls.structs import Order, Target
    from portal.core.sittings import SittingHead

OWN_WORDS = "own"
MOST_WARNINGS = 10
MOST_WORDS = 200


class HandedIn(Problem):
    """What is done to a child that has handed in reaches nobody."""

    code = "handed-in"
    status = 409
    title = N_("This child has handed in.")
    advice = N_(
        "Nothing reaches its screen any more, so nothing was sent. A hand-in can be taken back on the sitting's live page, by two persons."
    )


@post("/watch/{attempt:int}/warn", guards=[allows("watch.act")])
async def warn(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """A ready sentence in the child's language, or own words, which a second person samples."""
    actor = request.scope["user"]
    sitting_id = await mine(request, db, attempt)
    form = Form(await request.form())
    sentence = form.choice("sentence", [*SENTENCES, OWN_WORDS])
    words = form.text("own", required=sentence == OWN_WORDS, most=MOST_WORDS) if sentence == OWN_WORDS else ""
    if rules.LINK.search(words[:MOST_WORDS]):
        form.miss("own", N_("A message holds no address of a site: a pupil must not be led away."))
    if await deeds.warned_lately(db, attempt) >= MOST_WARNINGS:
        form.miss("sentence", N_("Ten messages in ten minutes are enough for a child. Call the school instead."))
    if form.errors:
        return await child_page(request, db, attempt, form)
    text: dict[str, str] = in_all_languages(sentence) if sentence in SENTENCES else dict.fromkeys(LANGUAGES, words)
    async with db.transaction():
        head, target = await _locked(request, db, sitting_id, attempt)
        made = await controls.order_of(db, head, target, Wish(kind="message", text=text))
        version = await controls.write(db, actor, sitting_id, target, made, words)
        code = "" if words else sentence
        await deeds.keep(
            *(db, sitting_id, attempt, actor.staff_id), kind="warn", version=version, sentence=code, words=words
        )
    return _back(attempt)


@post("/watch/{attempt:int}/pause", guards=[allows("watch.act")])
async def pause(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """The child's clock stands still; after ten minutes it goes on by rule."""
    actor = request.scope["user"]
    sitting_id = await mine(request, db, attempt)
    async with db.transaction():
        head, target = await _locked(request, db, sitting_id, attempt)
        made = await controls.order_of(db, head, target, Wish(kind="pause"))
        version = await controls.write(db, actor, sitting_id, target, made, "")
        await deeds.keep(db, sitting_id, attempt, actor.staff_id, kind="pause", version=version)
    return _back(attempt)


@post("/watch/{attempt:int}/resume", guards=[allows("watch.act")])
async def resume(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """The clock goes on, and what the pause took is given back."""
    sitting_id = await mine(request, db, attempt)
    async with db.transaction():
        head, target = await _locked(request, db, sitting_id, attempt)
        made = await controls.order_of(db, head, target, Wish(kind="resume"))
        await controls.write(db, request.scope["user"], sitting_id, target, made, "")
        await deeds.pause_over(db, attempt)
    return _back(attempt)


@post("/watch/{attempt:int}/extra", guards=[allows("watch.act")])
async def extra(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """More minutes: at once, or before a second person."""
    form = Form(await request.form())
    minutes = form.integer("minutes", least=1, most=rules.MOST_MINUTES)
    return await _weighty(request, db, attempt, form, Wish(kind="extra", minutes=minutes))


@post("/watch/{attempt:int}/end", guards=[allows("watch.act")])
async def end(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """This attempt ends now: at once, or before a second person."""
    return await _weighty(request, db, attempt, Form(await request.form()), Wish(kind="end"))


async def _weighty(request: StaffRequest, db: Connection, attempt: int, form: Form, wish: Wish) -> Response[str]:
    """What the proctor's own right does not cover: by the rules of controls, or by who holds their permission."""
    actor = request.scope["user"]
    sitting_id = await mine(request, db, attempt)
    # Each form of the page has its own field, so that a miss is shown where it was made.
    reason = form.text(f"reason_{wish.kind}")
    if form.errors:
        return await child_page(request, db, attempt, form)
    async with db.transaction():
        head, target = await _locked(request, db, sitting_id, attempt)
        made: Order = await controls.order_of(db, head, target, wish)
        able = await _may_alone(request, db, wish.kind, sitting_id, attempt)
        if able and not made.two_persons:
            await controls.write(db, actor, sitting_id, target, made, reason)
        elif all(one.kind != wish.kind for one in await deeds.waiting(db, sitting_id, attempt)):
            named = f"№ {attempt % 100_000}"
            act_id = await controls.ask(db, actor, sitting_id, target, made, reason, named=named)
            if able:
                await acts.do_waived(db, actor, act_id, request.app.state.settings)
    return _back(attempt)


async def _may_alone(request: StaffRequest, db: Connection, kind: str, sitting_id: int, attempt: int) -> bool:
    actor = request.scope["user"]
    if not actor.may(rules.PERMISSIONS[kind]):
        return False
    try:
        await controls.target_of(db, actor, kind, sitting_id, "attempt", str(attempt))
    except NotThere:
        return False
    return True


async def _locked(request: StaffRequest, db: Connection, sitting_id: int, attempt: int) -> tuple[SittingHead, Target]:
    """The sitting, its row locked, and the child within the proctor's territory."""
    actor = request.scope["user"]
    scope = actor.scope("watch.act")
    head = await find_head(db, sitting_id, scope, lock=True)
    if head.state != "published":
        raise NotRunning
    target = await controls.target_of(db, actor, "message", sitting_id, "attempt", str(attempt), within=scope)
    if target.ended:
        raise HandedIn
    return head, target


@get("/sittings/{sitting_id:int}/verdicts/words", guards=[allows("watch.review")])
async def words(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Own words of proctors to children, for a second person's eyes (SAFETY R4)."""
    actor = request.scope["user"]
    scope = actor.scope("watch.review")
    head = await find_head(db, sitting_id, scope)
    view = listing(request, {"at"}, "at")
    rows, total = await deeds.words(db, sitting_id, scope, limit=view.rows, offset=view.offset)
    return page(request, "proctoring/words.html", sitting=head, rows=rows, total=total, view=view)


@post("/sittings/{sitting_id:int}/verdicts/words/{act_id:int}", guards=[allows("watch.review")])
async def sample(request: StaffRequest, db: Connection, sitting_id: int, act_id: int) -> Response[str]:
    """Fine, or not; by somebody else than who wrote them."""
    actor = request.scope["user"]
    scope = actor.scope("watch.review")
    await find_head(db, sitting_id, scope)
    form = Form(await request.form())
    said = form.choice("said", ["fine", "wrong"])
    if form.errors or act_id >= 2**31:
        raise NotThere
    async with db.transaction():
        if not await deeds.sample(db, sitting_id, scope, act_id, actor.staff_id, said):
            raise NotThere
        fact: dict[str, object] = {"words": act_id, "said": said}
        await audit.record(db, actor, "watch.words.sampled", kind="sitting", object_id=sitting_id, after=fact)
    return see_other(f"/sittings/{sitting_id}/verdicts/words")


def _back(attempt: int) -> Response[str]:
    return see_other(f"/watch/{attempt}#deeds")


ROUTES = [warn, pause, resume, extra, end, words, sample]
