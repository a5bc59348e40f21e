"""The form of who registers: by a proven address, or by a class's code. The login is there at once, and can do nothing yet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from litestar import Response, get, post

from infra.callers import place_of
from portal.core import audit, consents, notices, readings, territory
from portal.core.accounts import StaffRequest, create_staff, proofs, sessions
from portal.core.accounts.strength import require_strong
from portal.core.db import Connection
from portal.core.files.rows import parse_day
from portal.core.forms import Form
from portal.core.i18n import N_, current
from portal.core.permissions import public
from portal.core.scope import everywhere
from portal.core.ui.pages import page, see_other
from portal.features.registration import codes, queries
from portal.features.registration.joining import CONSENT_WAITS, TEACHER_WAITS
from portal.features.registration.problems import ProofOver, TooManyMisses
from portal.features.registration.routes import LONGEST_TOKEN
from portal.features.registration.structs import Applicant

if TYPE_CHECKING:
    from datetime import date

    from portal.core.accounts.proofs import Proof
    from portal.core.front import Front
    from portal.features.registration.structs import ClassCode

LANGUAGE_NAMES: dict[str, str] = {"kk": N_("Kazakh"), "ru": N_("Russian"), "en": N_("English")}
LOGIN_TAKEN = N_("This login is taken.")
LOGIN_LETTERS = N_("Three to forty Latin letters, digits, dots or hyphens, beginning with a letter.")
NOT_BORN = N_("A day like 14.03.2015 is needed.")
TOO_OLD, TOO_YOUNG = 110, 5
NOT_LIKELY = N_("This birth date does not fit. Look at the year once more.")
NO_SUCH_CODE = N_("There is no such code, or it is over. Look at it letter by letter, or ask your teacher.")
NO_LETTERS = N_("A name is written with letters.")
# Letters of any alphabet, and what stands between them: a stranger reads it on our page, so there is no address in it.
NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f '’ʼ`-]|\.(?= |$))*")
# From one address: a lesson of thirty mistypes, a guesser goes on.
MISSES, MISSES_WITHIN = 40, timedelta(minutes=15)


@get("/register/new", guards=[public])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """Where the letter leads, and the code of the SMS. Opening the page uses nothing up."""
    token = request.query_params.get("token", "")[:LONGEST_TOKEN]
    proof = await _proof(db, token)
    return await _page(request, db, token, proof, None)


@post("/register/new", guards=[public])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """The login, and who registers. `reload`: without script, the schools of the chosen region."""
    form = Form(await request.form())
    token = form.values.get("token", "")[:LONGEST_TOKEN]
    proof = await _proof(db, token)
    if "reload" in form.values:
        return await _page(request, db, token, proof, form)
    applicant = await _applicant(form, db)
    login, password = _login(form, applicant)
    if form.errors:
        return await _page(request, db, token, proof, form)
    try:
        async with db.transaction():
            if not await proofs.use(db, proof.id):
                raise ProofOver
            staff_id = await _make_login(request, db, login, password, applicant)
            await _prove(db, staff_id, proof)
            await write_registration(db, staff_id, applicant, way="email" if proof.channel == "mail" else "phone")
            cookie = await _begin(request, db, staff_id)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "staff_login_key":
            raise ProofOver from error
        if not await proofs.login_missed(db, proof.id):
            raise TooManyMisses from error
        form.miss("login", LOGIN_TAKEN)
        return await _page(request, db, token, proof, form)
    return cookie


@get("/register/class", guards=[public])
async def show_class(request: StaffRequest) -> Response[str]:
    """For children without e-mail and phone."""
    return _class_page(request, None)


@post("/register/class", guards=[public])
async def make_class(request: StaffRequest, db: Connection) -> Response[str]:
    """A request that the class teacher confirms; until then the login shows that it waits, and nothing else."""
    form = Form(await request.form())
    place = place_of(request.scope["user"].address)
    if await queries.misses(db, place, MISSES_WITHIN) >= MISSES:
        raise TooManyMisses
    code = await queries.code_by_hash(db, codes.hashed(form.values.get("code", "")))
    if code is None:
        form.miss("code", NO_SUCH_CODE)
        await queries.miss(db, place)
        return _class_page(request, form)
    applicant = _of_class(form, code)
    login, password = _login(form, applicant)
    if not form.ticked("agreed"):
        form.miss("agreed", N_("Read it and say yes, or ask your teacher."))
    if form.errors:
        return _class_page(request, form)
    try:
        async with db.transaction():
            if not await queries.use_code(db, code.id):
                form.miss("code", NO_SUCH_CODE)
                return _class_page(request, form)
            staff_id = await _make_login(request, db, login, password, applicant)
            number = await write_registration(
                db, staff_id, applicant, way="code", state="teacher", class_code_id=code.id, agreed=True
            )
            async with everywhere(db):
                registration = await queries.find(db, number)
                assert registration is not None
                for teacher in await queries.confirmers(db, registration):
                    await notices.tell(
                        db,
                        teacher,
                        "registration.waits",
                        about=f"{code.id}:{readings.today()}",
                        link="/registrations",
                        filled={"class_name": code.class_name},
                    )
            return await _begin(request, db, staff_id)
    except asyncpg.UniqueViolationError:
        await queries.miss(db, place)
        form.miss("login", LOGIN_TAKEN)
        return _class_page(request, form)


async def write_registration(
    db: Connection,
    staff_id: int,
    applicant: Applicant,
    *,
    way: str,
    state: str = "consent",
    class_code_id: int | None = None,
    agreed: bool = False,
) -> int:
    """The registration; row security lets nobody write one into a territory, so the house does."""
    async with everywhere(db):
        return await queries.insert(
            db,
            staff_id,
            applicant,
            way=way,
            state=state,
            class_code_id=class_code_id,
            agreed=agreed,
            waits=TEACHER_WAITS if state == "teacher" else CONSENT_WAITS,
        )


async def _proof(db: Connection, token: str) -> Proof:
    proof = await proofs.find(db, token)
    if proof is None:
        raise ProofOver
    return proof


async def _applicant(form: Form, db: Connection) -> Applicant:
    known = await queries.parts(db)
    part = form.choice("part", [one.code for one in known])
    region = form.choice("region", [one.code for one in await territory.regions(db)])
    school_id = form.optional_id("school")
    if school_id is not None and school_id not in {one.id for one in await queries.schools(db, region)}:
        form.miss("school", N_("Please choose one of the list."))
    grade = form.integer("grade", least=0, most=12) if form.values.get("grade", "").strip() else None
    if school_id is None and grade is not None:
        form.miss("school", N_("A class belongs to a school: choose it too."))
    project, _, role = part.partition(":")
    letter = form.text("class_letter", required=False, most=3).upper()
    return Applicant(
        **_names(form),
        birth_date=_born(form),
        language=form.choice("language", list(LANGUAGE_NAMES), current()),
        region_code=region,
        school_id=school_id,
        grade=grade,
        class_letter=letter if grade is not None else "",
        project=project,
        role=role,
    )


def _of_class(form: Form, code: ClassCode) -> Applicant:
    """Place and part are the code's; the child types its name and birth date."""
    return Applicant(
        **_names(form),
        birth_date=_born(form),
        language=form.choice("language", list(LANGUAGE_NAMES), current()),
        region_code=code.region_code,
        school_id=code.school_id,
        grade=code.grade,
        class_letter=code.class_letter,
        project=code.project,
        role=code.role,
    )


def _names(form: Form) -> dict[str, str]:
    names = {
        name: form.text(name, required=name != "middle_name", most=60)
        for name in ("last_name", "first_name", "middle_name")
    }
    for name, value in names.items():
        require_name(form, name, value)
    return names


def require_name(form: Form, field: str, value: str) -> None:
    """What is no name is missed; empty is another matter."""
    if value and not NAME.fullmatch(value):
        form.miss(field, NO_LETTERS)


def _born(form: Form) -> date:
    today = readings.today()
    born = parse_day(form.text("birth_date"))
    if born is None:
        form.miss("birth_date", NOT_BORN)
        return today
    if not TOO_YOUNG <= today.year - born.year <= TOO_OLD:
        form.miss("birth_date", NOT_LIKELY)
    return born


def _login(form: Form, applicant: Applicant) -> tuple[str, str]:
    login = form.text("login", most=40).lower()
    plain = login.replace(".", "").replace("-", "")
    if not (len(login) >= 3 and login[:1].isalpha() and plain.isascii() and plain.isalnum()):
        form.miss("login", LOGIN_LETTERS)
    if login.startswith("erased-"):
        form.miss("login", LOGIN_TAKEN)
    password = form.values.get("password", "")
    require_strong(form, "password", password, login, f"{applicant.last_name} {applicant.first_name}")
    return login, password


async def _make_login(request: StaffRequest, db: Connection, login: str, password: str, applicant: Applicant) -> int:
    staff_id = await create_staff(
        db,
        login=login,
        full_name=f"{applicant.last_name} {applicant.first_name}",
        password=password,
        language=applicant.language,
        registered_at=datetime.now(UTC),
    )
    await audit.record_for(
        db,
        staff_id=staff_id,
        acting_as="-",
        address=request.scope["user"].address,
        act="registration.login.made",
        kind="staff",
        object_id=staff_id,
        after={"role": applicant.role, "project": applicant.project},
    )
    return staff_id


async def _prove(db: Connection, staff_id: int, proof: Proof) -> None:
    columns = (
        "email = $2, email_proven_at = now()" if proof.channel == "mail" else "phone = $2, phone_proven_at = now()"
    )
    await db.execute(f"update staff set {columns} where id = $1", staff_id, proof.address)


async def _begin(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """Signed in: who has just proven the address and chosen a password is not asked for both again."""
    address, agent = request.scope["user"].address, request.headers.get("user-agent", "")
    key = await sessions.begin(db, staff_id, address, agent, datetime.now(UTC))
    await audit.record_for(
        db,
        staff_id=staff_id,
        acting_as="-",
        address=address,
        act="account.session.began",
        kind="staff",
        object_id=staff_id,
        after={"place": place_of(address), "agent": agent[:200]},
    )
    answer = see_other("/own")
    front: Front = request.app.state.front
    answer.headers["set-cookie"] = front.cookie(sessions.COOKIE, key, age_s=int(sessions.LONGEST.total_seconds()))
    return answer


async def _page(request: StaffRequest, db: Connection, token: str, proof: Proof, form: Form | None) -> Response[str]:
    values: dict[str, Any] = form.values if form else {}
    region = values.get("region", "")
    return page(
        request,
        "registration/new.html",
        status=422 if form and form.errors else 200,
        token=token,
        proof=proof,
        parts=await queries.parts(db),
        regions=await territory.regions(db),
        schools=await queries.schools(db, region) if region else [],
        language_names=LANGUAGE_NAMES,
        age=await consents.age_of_consent(db),
        errors=form.errors if form else {},
        values=values,
    )


def _class_page(request: StaffRequest, form: Form | None) -> Response[str]:
    typed = request.query_params.get("code", "")[:20]
    return page(
        request,
        "registration/class.html",
        status=422 if form and form.errors else 200,
        language_names=LANGUAGE_NAMES,
        errors=form.errors if form else {},
        values=form.values if form else {"code": typed},
    )


ROUTES = [show, make, show_class, make_class]
