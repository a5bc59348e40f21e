"""Is this receipt genuine; and taking in what a phone could not send."""

from __future__ import annotations

import asyncio
import hashlib
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile

from engine.receipts import receipt_code
from infra.local import decode_key
from infra.objects import open_bucket
from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, number, t
from portal.core.permissions import allows
from portal.core.problems import NotThere, OwnSchool, TooLarge
from portal.core.sittings import find_head, tabs
from portal.core.ui.pages import page, see_other
from portal.features.rescue import queries, rules
from portal.features.rescue.problems import (
    EngineSilent,
    NotARescueFile,
    RescueForeign,
    RescueNothingNew,
    RescueSittingFinal,
)

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.features.rescue.structs import Payload, Report

BUCKET = "rescue"
LOOK_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})


@get("/receipts", guards=[allows("receipt.check")])
async def receipts(request: StaffRequest, db: Connection) -> Response[str]:
    """A receipt's code in, its truth out: recomputed from what Postgres holds, not only looked up."""
    actor = request.scope["user"]
    typed = request.query_params.get("code", "")[:20]
    letters = "".join(letter for letter in typed.upper().translate(LOOK_ALIKE) if letter.isalnum())
    code = f"{letters[:4]}-{letters[4:]}"
    found = await queries.seals_of_code(db, code, actor.scope("receipt.check")) if len(letters) == 8 else []
    key = decode_key(request.app.state.settings.receipt_key)
    genuine = [row for row in found if receipt_code(key, row["attempt_id"], row["finish_seq"], row["digest"]) == code]
    if typed:
        async with db.transaction():
            fact: dict[str, object] = {"genuine": len(genuine)}
            await audit.record(db, actor, "receipt.receipt.checked", kind="receipt", object_id=code, after=fact)
    return page(request, "rescue/receipts.html", typed=typed, code=code, found=genuine, well_formed=len(letters) == 8)


@get("/sittings/{sitting_id:int}/rescue", guards=[allows("rescue.take")])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Where a file goes, and those taken in."""
    return await _page(request, db, sitting_id)


@post("/sittings/{sitting_id:int}/rescue", guards=[allows("rescue.take")], request_max_body_size=2 * 2**20)
async def upload(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Read the file, say what it would change, and put it before a second person."""
    actor = request.scope["user"]
    form = await request.form()
    sent, reason = form.get("file"), Form(form).text("reason", required=False)
    if not isinstance(sent, UploadFile):
        raise NotARescueFile
    body = await sent.read()
    if len(body) > rules.MOST_BYTES:
        raise TooLarge(limit_mb=1)
    settings = request.app.state.settings
    payload, report, name = await _read(db, settings, actor, sitting_id, body)
    if report.new == 0 and report.conflicts == 0:
        raise RescueNothingNew
    digest = hashlib.sha256(body).hexdigest()
    async with open_bucket(settings.objects, BUCKET) as bucket:
        await bucket.ensure()
        await bucket.put(digest, body)
    pupil = await queries.pupil_of(db, sitting_id, payload.attempt, actor.scope("rescue.take"))
    assert pupil is not None
    async with db.transaction():
        await audit.record(
            db,
            actor,
            "rescue.file.read",
            kind="participant",
            object_id=payload.attempt,
            after=msgspec.to_builtins(report),
        )
        act_id = await acts.ask(
            db,
            actor,
            TAKE.code,
            sitting_id=sitting_id,
            payload={
                "digest": digest,
                "attempt": payload.attempt,
                "regions": [pupil["region_code"]],
                "schools": [pupil["school_id"]],
            },
            before={N_("Pupil"): name, N_("Events in the database"): number(report.known)},
            after={
                N_("New events"): number(report.new),
                N_("Questions with another answer"): number(report.answers_changed),
                N_("Contradictions"): number(report.conflicts),
                N_("Silence before, minutes"): "—" if report.silence_s is None else number(report.silence_s // 60),
            },
            reason=reason,
        )
        waived = await acts.do_waived(db, actor, act_id, settings)
    return see_other(f"/sittings/{sitting_id}/rescue" if waived else "/acts?asked=1")


async def _read(
    db: Connection, settings: PortalSettings, actor: Actor, sitting_id: int, body: bytes
) -> tuple[Payload, Report, str]:
    """Open, prove, weigh."""
    await find_head(db, sitting_id, actor.scope("rescue.take"))
    if await queries.has_published_run(db, sitting_id):
        raise RescueSittingFinal
    head, payload = await asyncio.to_thread(rules.open_file, body, decode_key(settings.rescue_private_key))
    pupil = await queries.pupil_of(db, sitting_id, payload.attempt, actor.scope("rescue.take"))
    if head.sitting != sitting_id or pupil is None or not pupil["begun"]:
        raise RescueForeign
    if pupil["school_id"] == actor.own_school_id:
        raise OwnSchool
    if not await asyncio.to_thread(token_holds, settings.token_check_url, payload):
        raise RescueForeign
    stored = await queries.stored_events(db, sitting_id, payload.attempt, payload.device)
    heard = await queries.last_heard_ms(db, sitting_id, payload.attempt)
    return payload, rules.weigh(payload, stored, heard, int(time.time() * 1000)), pupil["name"]


def token_holds(engine_url: str, payload: Payload) -> bool:
    """Ask the engine, which alone holds the token keys: an empty save with this token is answered or refused.

    Save accepts an expired token of a kept key, and refuses one of another attempt with 403.
    """
    body = msgspec.json.encode(
        {"attempt": payload.attempt, "clock": [], "generation": 1, "controls": 0, "open": [], "events": []}
    )
    headers = {"Authorization": f"Bearer {payload.token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{engine_url}/v1/save", body, headers, method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=5) as reply:
            return reply.status == 200
    except urllib.error.HTTPError as error:
        if error.code in {401, 403}:
            return False
        raise EngineSilent from error
    except (urllib.error.URLError, OSError) as error:
        raise EngineSilent from error


async def _perform(db: Connection, actor: Actor, act: acts.Pending, settings: PortalSettings) -> None:
    """The second person agreed: the file is read anew and its events are inserted, marked."""
    assert act.sitting_id is not None
    async with open_bucket(settings.objects, BUCKET) as bucket:
        body = await bucket.get(act.payload["digest"])
    if body is None:
        raise NotThere
    payload, report, _ = await _read(db, settings, actor, act.sitting_id, body)
    now_ms = int(time.time() * 1000)
    taken = await queries.take_in(db, act.sitting_id, payload, now_ms)
    if report.finished:
        await queries.note_finish(db, payload.attempt, payload.device, now_ms)
    digest = bytes.fromhex(act.payload["digest"])
    facts = {**msgspec.to_builtins(report), "taken": taken}
    await queries.insert_file(db, act.sitting_id, payload.attempt, digest, body, actor.staff_id, facts)
    await audit.record(
        db, actor, "rescue.file.taken", kind="participant", object_id=payload.attempt, after=facts, reason=act.reason
    )


TAKE = acts.register(acts.Act("rescue.take", N_("Take in a rescue file"), "rescue.take", _perform, waivable=True))


async def _page(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    actor = request.scope["user"]
    head = await find_head(db, sitting_id, actor.scope("rescue.take"))
    return page(
        request,
        "rescue/show.html",
        sitting=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        files=await queries.taken_files(db, sitting_id, actor.scope("rescue.take")),
    )


ROUTES = [receipts, show, upload]
