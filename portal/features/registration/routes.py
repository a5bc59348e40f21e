"""The ways in: choose one, prove an e-mail or a phone. Nobody learns here who has an account; none is made before the form."""

from __future__ import annotations

from litestar import Response, get, post

from infra.local import decode_key
from portal.core.accounts import StaffRequest, proofs
from portal.core.accounts.contacts import as_email, as_phone
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, current
from portal.core.permissions import public
from portal.core.ui.pages import page, see_other
from portal.features.registration.problems import ProofOver

LONGEST_TOKEN = 100
NOT_EMAIL = N_("An address like name@example.kz is needed, in Latin letters.")
NOT_PHONE = N_("A number of Kazakhstan like +7 700 123 45 67 is needed.")
WRONG_CODE = N_("This is not the code. Look at the newest SMS; after five tries a new code is needed.")


@get("/register", guards=[public])
async def choose(request: StaffRequest) -> Response[str]:
    """Three ways, and a word to teachers and staff, who are invited."""
    if request.scope["user"].signed_in:
        return see_other("/")
    settings = request.app.state.settings
    return page(
        request,
        "registration/choose.html",
        mail_on=bool(settings.mail_url),
        sms_on=bool(settings.sms_url),
    )


@get("/register/email", guards=[public])
async def show_email(request: StaffRequest) -> Response[str]:
    """The address."""
    return _email_page(request)


@post("/register/email", guards=[public])
async def send_email(request: StaffRequest, db: Connection) -> Response[str]:
    """The same answer and the same work whether the address is known or not: the worker looks later."""
    form = Form(await request.form())
    email = as_email(form.values.get("email", ""))
    if email is None:
        form.miss("email", NOT_EMAIL)
    if email is None or not request.app.state.settings.mail_url:
        return _email_page(request, form)
    async with db.transaction():
        await proofs.ask(
            db,
            purpose="register",
            channel="mail",
            address=email,
            caller=request.scope["user"].address,
            language=current(),
        )
    return see_other("/register/email?sent=1")


def _email_page(request: StaffRequest, form: Form | None = None) -> Response[str]:
    return page(
        request,
        "registration/email.html",
        status=422 if form and form.errors else 200,
        errors=form.errors if form else {},
        email=form.values.get("email", "") if form else "",
        sent="sent" in request.query_params,
        mail_on=bool(request.app.state.settings.mail_url),
    )


@get("/register/phone", guards=[public])
async def show_phone(request: StaffRequest) -> Response[str]:
    """The number."""
    return _phone_page(request)


@post("/register/phone", guards=[public])
async def send_phone(request: StaffRequest, db: Connection) -> Response[str]:
    """A code on its way, or not: the page that asks for it is the same."""
    form = Form(await request.form())
    phone = as_phone(form.values.get("phone", ""))
    if phone is None or not phone.startswith("+7") or len(phone) != 12:
        form.miss("phone", NOT_PHONE)
    if form.errors or phone is None or not request.app.state.settings.sms_url:
        return _phone_page(request, form)
    async with db.transaction():
        _, handle = await proofs.ask(
            db,
            purpose="register",
            channel="sms",
            address=phone,
            caller=request.scope["user"].address,
            language=current(),
        )
    return see_other(f"/register/code?token={handle}")


def _phone_page(request: StaffRequest, form: Form | None = None) -> Response[str]:
    return page(
        request,
        "registration/phone.html",
        status=422 if form and form.errors else 200,
        errors=form.errors if form else {},
        phone=form.values.get("phone", "") if form else "",
        sms_on=bool(request.app.state.settings.sms_url),
    )


@get("/register/code", guards=[public])
async def show_code(request: StaffRequest) -> Response[str]:
    """Where the six digits are typed."""
    token = request.query_params.get("token", "")[:LONGEST_TOKEN]
    return page(request, "registration/code.html", token=token, errors={})


@post("/register/code", guards=[public])
async def try_code(request: StaffRequest, db: Connection) -> Response[str]:
    """Right: on to the form. Wrong: it counts; what is over says so."""
    form = Form(await request.form())
    token = form.values.get("token", "")[:LONGEST_TOKEN]
    async with db.transaction():
        proof_id = await proofs.by_handle(db, token)
        if proof_id is None:
            raise ProofOver
        key = decode_key(request.app.state.settings.link_key)
        outcome = await proofs.try_code(db, key, proof_id, "register", form.text("code", most=20))
    if outcome is proofs.Outcome.OVER:
        raise ProofOver
    if outcome is proofs.Outcome.WRONG:
        form.errors.clear()
        form.miss("code", WRONG_CODE)
        return page(request, "registration/code.html", status=422, token=token, errors=form.errors)
    return see_other(f"/register/new?token={token}")


ROUTES = [choose, show_email, send_email, show_phone, send_phone, show_code, try_code]
