"""The own page of who registered: what my registration waits for. Once there is a card: what I agreed to, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit, cards, consents, readings
from portal.core.accounts import StaffRequest
from portal.core.accounts.contacts import as_email, as_phone, contacts_of
from portal.core.consents import PURPOSES, RELATIONS, REPRESENTATIVES, asks, erasing, texts
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, current
from portal.core.permissions import allows
from portal.core.problems import NotThere, Problem
from portal.core.scope import as_login
from portal.core.ui.pages import page, see_other
from portal.features.registration import queries
from portal.features.registration.form import LANGUAGE_NAMES, require_name
from portal.features.registration.problems import TooManyCodes, TooManyNumbers
from portal.features.registration.routes import NOT_EMAIL, NOT_PHONE

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.features.registration.structs import Registration

OWN_PHONE = N_("This is your own number. Give the one of your mother, father or guardian.")
PROVEN_PHONE = N_(
    "The code goes to the number of your account, which you have proven. It has changed? Change it on your account page first."
)
SAY_YES = N_("Read it and say yes, if you agree.")
NOT_FOR_ONESELF = N_("Consents of a child are withdrawn by a parent.")


class TooManyAsks(Problem):
    """Links to parents, for one child."""

    code = "too-many-consent-links"
    status = 429
    title = N_("Several messages have gone to your parents today.")
    advice = N_("Ask them to look at the newest one; tomorrow you can send another.")


@get("/own", guards=[allows("own.account")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """The state of now, and the one next step; whoever is in the registry has his card for a home."""
    if request.scope["user"].person_id is not None:
        return see_other(cards.OWN)
    return await _page(request, db, None)


@get("/me/consents", guards=[allows("own.account")])
async def show_consents(request: StaffRequest, db: Connection) -> Response[str]:
    """A tab of the own card."""
    return await _consents_page(request, db, None)


@post("/own/parent", guards=[allows("own.account")])
async def ask_parent(request: StaffRequest, db: Connection) -> Response[str]:
    """The child names a parent; a link goes there, and the child says its own yes."""
    actor = request.scope["user"]
    form = Form(await request.form())
    given_by, relation = form.text("given_by", most=120), form.choice("relation", REPRESENTATIVES)
    require_name(form, "given_by", given_by)
    channel, address = _address(form)
    own = await contacts_of(db, actor.staff_id)
    if address and address in {own.phone, own.email}:
        form.miss("address", OWN_PHONE)
    if not form.ticked("agreed"):
        form.miss("agreed", SAY_YES)
    if form.errors:
        return await _page(request, db, form)
    async with as_login(db, actor):
        registration = await _waiting(db, actor, of_age=False)
        if (
            await asks.made_lately(db, registration.id) >= asks.ASKS
            or await asks.sent_lately(db, channel, address) >= asks.TO_ONE
        ):
            raise TooManyAsks
        await queries.child_agreed(db, registration.id)
        await asks.make(
            db,
            decode_key(request.app.state.settings.link_key),
            kind="give",
            registration_id=registration.id,
            person_id=None,
            first_name=registration.first_name,
            given_by=given_by,
            relation=relation,
            channel=channel,
            address=address,
            language=current(),
        )
        fact: dict[str, object] = {"relation": relation, "channel": channel}
        await audit.record(db, actor, "consent.link.asked", kind="registration", object_id=registration.id, after=fact)
    return see_other("/own?sent=1")


@post("/own/agree", guards=[allows("own.account")])
async def agree(request: StaffRequest, db: Connection) -> Response[str]:
    """Of age: on to the same page that a parent reads, with a code to the own phone."""
    actor = request.scope["user"]
    form = Form(await request.form())
    phone = as_phone(form.values.get("phone", ""))
    own = await contacts_of(db, actor.staff_id)
    if phone is None or not phone.startswith("+7") or len(phone) != 12:
        form.miss("phone", NOT_PHONE)
    # Any other number could be anybody's: a proof that he has one is asked once, and holds.
    elif own.phone_proven_at and phone != own.phone:
        form.miss("phone", PROVEN_PHONE)
    if form.errors or phone is None:
        return await _page(request, db, form)
    async with as_login(db, actor):
        registration = await _waiting(db, actor, of_age=True)
        if await asks.other_numbers(db, registration.id, phone) >= asks.OWN_NUMBERS:
            raise TooManyNumbers
        if await asks.made_lately(db, registration.id) >= asks.ASKS:
            raise TooManyCodes
        token = await asks.make(
            db,
            decode_key(request.app.state.settings.link_key),
            kind="give",
            registration_id=registration.id,
            person_id=None,
            first_name=registration.first_name,
            given_by=registration.name,
            relation="self",
            channel="sms",
            address=phone,
            language=current(),
            send=False,
        )
    return see_other(f"/consent?token={token}")


@post("/me/consents/withdraw", guards=[allows("own.account")])
async def withdraw(request: StaffRequest, db: Connection) -> Response[str]:
    """Of age: take a consent back; what it fed stops in the same transaction."""
    actor = request.scope["user"]
    form = Form(await request.form())
    purpose = form.choice("purpose", list(PURPOSES))
    if form.errors:
        return await _consents_page(request, db, form)
    async with cards.seen(db, actor, "own.account", None) as card:
        if not consents.of_age(card.birth_date, readings.today(), await consents.age_of_consent(db)):
            form.miss("purpose", NOT_FOR_ONESELF)
        elif not await consents.withdraw(db, card.id, purpose, actor.staff_id, actor.full_name):
            raise NotThere
        else:
            fact: dict[str, object] = {"purpose": purpose}
            await audit.record(db, actor, "person.consent.withdrawn", kind="person", object_id=card.id, after=fact)
    if form.errors:
        return await _consents_page(request, db, form)
    return see_other("/me/consents?withdrawn=1")


async def _waiting(db: Connection, actor: Actor, *, of_age: bool) -> Registration:
    """The own registration, if it waits for this kind of consent; else there is nothing here."""
    found = await queries.of_login(db, actor.staff_id, lock=True)
    if found is None or found.state != "consent" or await _is_of_age(db, found) is not of_age:
        raise NotThere
    return found


async def _is_of_age(db: Connection, registration: Registration) -> bool:
    return consents.of_age(registration.birth_date, readings.today(), await consents.age_of_consent(db))


def _address(form: Form) -> tuple[str, str]:
    """One field for both: with an @ it is an e-mail."""
    typed = form.text("address", most=254)
    if "@" in typed:
        address = as_email(typed)
        if address is None:
            form.miss("address", NOT_EMAIL)
        return "mail", address or ""
    phone = as_phone(typed)
    if phone is None or not phone.startswith("+7") or len(phone) != 12:
        form.miss("address", NOT_PHONE)
    return "sms", phone or ""


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    context: dict[str, Any] = {"registration": None, "ask": None, "of_age": False, "text": None, "contacts": None}
    async with as_login(db, actor):
        registration = await queries.of_login(db, actor.staff_id)
        if registration is not None:
            context["registration"] = registration
            context["ask"] = await asks.newest(db, registration.id)
            context["of_age"] = await _is_of_age(db, registration)
            context["text"] = await texts.in_force(db, readings.today())
            context["contacts"] = await contacts_of(db, actor.staff_id)
    return page(
        request,
        "registration/own.html",
        status=422 if form else 200,
        relations=RELATIONS,
        representatives=REPRESENTATIVES,
        errors=form.errors if form else {},
        values=form.values if form else {},
        **context,
    )


async def _consents_page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    async with cards.opened(db, request.scope["user"], "own.account", None) as card:
        of_age = consents.of_age(card.birth_date, readings.today(), await consents.age_of_consent(db))
        known = await consents.of_person(db, card.id)
        erasures = await erasing.of_person(db, card.id)
    held = {one.purpose for one in known if one.holds}
    return page(
        request,
        "registration/consents.html",
        status=422 if form else 200,
        known=known,
        erasures=erasures,
        of_age=of_age,
        held=[purpose for purpose in PURPOSES if purpose in held],
        purposes=PURPOSES,
        relations=RELATIONS,
        language_names=LANGUAGE_NAMES,
        held_as=erasing.HELD_AS,
        errors=form.errors if form else {},
        **cards.context(request, card),
    )


ROUTES = [show, ask_parent, agree, show_consents, withdraw]
