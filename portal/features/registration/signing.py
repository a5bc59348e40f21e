"""A legal representative reads, decides and signs with a code; and takes it back by a link. Nobody is signed in by it (SAFETY P6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit, consents, readings
from portal.core.accounts import StaffRequest, proofs
from portal.core.accounts.contacts import as_phone
from portal.core.consents import PURPOSES, RELATIONS, NewConsent, asks, texts
from portal.core.db import Connection
from portal.core.files.paper import PDF_TYPE
from portal.core.files.tables import download
from portal.core.forms import Form
from portal.core.i18n import N_, current, t
from portal.core.permissions import public
from portal.core.scope import everywhere
from portal.core.ui.pages import page, see_other
from portal.features.registration import paper, queries
from portal.features.registration.joining import By, join
from portal.features.registration.problems import ProofOver, TooManyCodes
from portal.features.registration.routes import LONGEST_TOKEN, NOT_PHONE

if TYPE_CHECKING:
    from portal.core.consents.asks import Ask

NOT_WITHOUT = N_(
    "Without this one there is no registration. If you do not agree, just close the page: in some weeks everything is erased."
)
WRONG_CODE = N_("This is not the code. Look at the newest SMS; after three tries a new code is needed.")
CHOOSE_ONE = N_("Choose at least one.")


@get("/consent", guards=[public])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """The text in plain words, and the purposes apart. Nothing is ticked."""
    return await _page(request, db, await _ask(request, db, "give"), None)


@post("/consent", guards=[public])
async def decide(request: StaffRequest, db: Connection) -> Response[str]:
    """What was ticked is kept until a code signs it."""
    form = Form(await request.form())
    ask = await _ask(request, db, "give", form)
    chosen = form.choices("purposes", list(PURPOSES))
    if ask.registration_id is not None and "registry" not in chosen:
        form.miss("purposes", NOT_WITHOUT)
    if form.errors:
        return await _page(request, db, ask, form)
    # A representative without a phone signs on paper: the law knows no letter.
    if ask.channel == "mail":
        return await _page(request, db, ask, None)
    text = await texts.in_force(db, readings.today())
    async with db.transaction():
        if not await asks.count_code(db, ask.id):
            raise TooManyCodes
        number, _ = await proofs.ask(
            db,
            purpose="sign",
            channel="sms",
            address=ask.address,
            caller=request.scope["user"].address,
            language=current(),
        )
        await asks.choose(db, ask.id, chosen, text.version, current(), number)
    return see_other(f"/consent/sign?token={_token(request, form)}")


@get("/consent/sign", guards=[public])
async def show_code(request: StaffRequest, db: Connection) -> Response[str]:
    """Where the six digits are typed, below what they sign."""
    return _code_page(request, await _chosen(request, db), None)


@post("/consent/sign", guards=[public])
async def sign(request: StaffRequest, db: Connection) -> Response[str]:
    """The right code: the consents are on record, and the child is registered."""
    form = Form(await request.form())
    ask = await _chosen(request, db, form)
    assert ask.proof_id is not None
    async with db.transaction():
        key = decode_key(request.app.state.settings.link_key)
        outcome = await proofs.try_code(db, key, ask.proof_id, "sign", form.text("code", most=20))
        if outcome is proofs.Outcome.FITS:
            await _record(request, db, ask)
    if outcome is proofs.Outcome.OVER:
        raise ProofOver
    if outcome is proofs.Outcome.WRONG:
        form.errors.clear()
        form.miss("code", WRONG_CODE)
        return _code_page(request, ask, form)
    return see_other("/consent/done" if ask.relation != "self" else "/own")


@get("/consent/done", guards=[public])
async def show_done(request: StaffRequest) -> Response[str]:
    """What happens now, and how to take it back."""
    return page(request, "registration/done.html", withdrawn="withdrawn" in request.query_params)


@get("/consent/paper", guards=[public])
async def show_paper(db: Connection) -> Response[bytes]:
    """The form to print and sign at school; it names nobody."""
    text = await texts.in_force(db, readings.today())
    body = await asyncio.to_thread(paper.as_form, text, current())
    return download(body, f"{t(N_('Consent'))} {text.version}.pdf", PDF_TYPE)


@get("/consent/stop", guards=[public])
async def show_stop(request: StaffRequest) -> Response[str]:
    """A parent asks for the link by which consents are withdrawn."""
    return _stop_page(request, None)


@post("/consent/stop", guards=[public])
async def send_stop(request: StaffRequest, db: Connection) -> Response[str]:
    """The same answer and the same work, whether this phone signed anything or not."""
    form = Form(await request.form())
    phone = as_phone(form.values.get("phone", ""))
    if phone is None:
        form.miss("phone", NOT_PHONE)
        return _stop_page(request, form)
    async with db.transaction():
        await proofs.ask(
            db,
            purpose="withdraw",
            channel="sms",
            address=phone,
            caller=request.scope["user"].address,
            language=current(),
        )
    return see_other("/consent/stop?sent=1")


@get("/consent/withdraw", guards=[public])
async def show_withdraw(request: StaffRequest, db: Connection) -> Response[str]:
    """What holds, to be ticked off."""
    return await _withdraw_page(request, db, await _ask(request, db, "withdraw"), None)


@post("/consent/withdraw", guards=[public])
async def withdraw(request: StaffRequest, db: Connection) -> Response[str]:
    """What was ticked stops at once."""
    form = Form(await request.form())
    ask = await _ask(request, db, "withdraw", form)
    chosen = form.choices("purposes", list(PURPOSES))
    if not chosen:
        form.miss("purposes", CHOOSE_ONE)
    if form.errors:
        return await _withdraw_page(request, db, ask, form)
    async with db.transaction(), everywhere(db):
        if not await asks.done(db, ask.id, None):
            raise ProofOver
        person_id = await _person(db, ask)
        for purpose in chosen:
            if await consents.withdraw(db, person_id, purpose, None, ask.given_by):
                await _note(request, db, "person.consent.withdrawn", person_id, {"purpose": purpose, "link": ask.id})
    return see_other("/consent/done?withdrawn=1")


def _token(request: StaffRequest, form: Form | None = None) -> str:
    """Of the form that was sent, else of the address."""
    given = form.values.get("token", "") if form else request.query_params.get("token", "")
    return given[:LONGEST_TOKEN]


async def _ask(request: StaffRequest, db: Connection, kind: str, form: Form | None = None) -> Ask:
    found = await asks.find(db, kind, _token(request, form))
    # A registration that was declined or is over took its link along.
    if found is None or (found.registration_id is None and found.person_id is None):
        raise ProofOver
    return found


async def _chosen(request: StaffRequest, db: Connection, form: Form | None = None) -> Ask:
    found = await _ask(request, db, "give", form)
    if found.proof_id is None or not found.chosen:
        raise ProofOver
    return found


async def _record(request: StaffRequest, db: Connection, ask: Ask) -> None:
    if not await asks.done(db, ask.id, None):
        raise ProofOver
    today = readings.today()
    given = [
        NewConsent(
            purpose=purpose,
            given_by=ask.given_by,
            relation=ask.relation,
            text_version=ask.version,
            language=ask.language,
            channel="sms",
            third_parties="",
            given_on=today,
            ends_on=None,
        )
        for purpose in ask.chosen
    ]
    async with everywhere(db):
        if ask.registration_id is not None:
            registration = await queries.find(db, ask.registration_id, lock=True)
            if registration is None or registration.state != "consent":
                raise ProofOver
            await join(db, registration, given, By(address=request.scope["user"].address))
            return
        person_id = await _person(db, ask)
        for one in given:
            consent_id = await consents.record(db, person_id, one, None)
            await _note(
                request,
                db,
                "person.consent.recorded",
                person_id,
                {"consent": consent_id, **msgspec.to_builtins(one)},
            )


async def _person(db: Connection, ask: Ask) -> int:
    """The row that the link is about; where two became one, the one that is left."""
    return await db.fetchval("select coalesce(merged_into, id) from person where id = $1", ask.person_id)


async def _note(request: StaffRequest, db: Connection, act: str, person_id: int, fact: dict[str, object]) -> None:
    await audit.record_for(
        db,
        staff_id=None,
        acting_as="-",
        address=request.scope["user"].address,
        act=act,
        kind="person",
        object_id=person_id,
        after=fact,
    )


def _masked(address: str) -> str:
    """As much as its owner knows it by."""
    return f"{address[:2]} ••• •• {address[-2:]}" if address.startswith("+") else ""


async def _page(request: StaffRequest, db: Connection, ask: Ask, form: Form | None) -> Response[str]:
    text = await texts.in_force(db, readings.today())
    return page(
        request,
        "registration/consent.html",
        status=422 if form else 200,
        token=_token(request, form) or _token(request),
        ask=ask,
        relation=RELATIONS[ask.relation],
        phone=_masked(ask.address),
        text=text,
        purposes=PURPOSES,
        errors=form.errors if form else {},
        ticked=form.choices("purposes", list(PURPOSES)) if form else [],
    )


def _code_page(request: StaffRequest, ask: Ask, form: Form | None) -> Response[str]:
    return page(
        request,
        "registration/sign.html",
        status=422 if form else 200,
        token=_token(request, form),
        ask=ask,
        phone=_masked(ask.address),
        purposes=PURPOSES,
        errors=form.errors if form else {},
    )


def _stop_page(request: StaffRequest, form: Form | None) -> Response[str]:
    return page(
        request,
        "registration/stop.html",
        status=422 if form else 200,
        errors=form.errors if form else {},
        phone=form.values.get("phone", "") if form else "",
        sent="sent" in request.query_params,
        sms_on=bool(request.app.state.settings.sms_url),
    )


async def _withdraw_page(request: StaffRequest, db: Connection, ask: Ask, form: Form | None) -> Response[str]:
    async with db.transaction(), everywhere(db):
        person_id = await _person(db, ask)
        held = {one.purpose for one in await consents.of_person(db, person_id) if one.holds}
    return page(
        request,
        "registration/withdraw.html",
        status=422 if form else 200,
        token=_token(request, form),
        ask=ask,
        held=[purpose for purpose in PURPOSES if purpose in held],
        purposes=PURPOSES,
        errors=form.errors if form else {},
    )


ROUTES = [show, decide, show_code, sign, show_done, show_paper, show_stop, send_stop, show_withdraw, withdraw]
