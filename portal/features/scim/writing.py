"""Making, changing and closing a login for a system: within its project, without privileges, counted (SAFETY P4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from scim2_models import ForbiddenException, InvalidValueException, UniquenessException

from portal.core import audit, iin
from portal.core.accounts import Place, create_staff, give_role, school_year_end
from portal.core.accounts.grants import end_grant
from portal.core.i18n import LANGUAGES
from portal.core.machines.clients import count_change
from portal.features.scim import queries
from portal.features.scim.resources import School

if TYPE_CHECKING:
    from uuid import UUID

    from portal.core.db import Connection
    from portal.core.machines.clients import Client
    from portal.features.scim.resources import Login, User

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,59}")
MOST_NAME = 120


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a system says of a login, checked."""

    login: str
    display: str | None
    names: tuple[str, str, str]
    language: str
    # None: not said, so it stays as it is.
    active: bool | None
    external_id: str | None
    roles: tuple[str, ...]
    school_code: str | None

    @property
    def full_name(self) -> str:
        """What the portal shows."""
        return self.display or " ".join(part for part in self.names if part) or self.login


async def make(db: Connection, client: Client, wished: User) -> Login:
    """A new login; of one that this system deleted, the same again, which is a change as others are."""
    said = read(wished)
    known = await queries.owner(db, client, said.login)
    if known is not None and not known[1]:
        raise UniquenessException(detail=f"userName «{said.login}» is taken.")
    if known is not None:
        await queries.keep_made(db, client, known[0])
        wished.active = said.active is not False
        return await change(db, client, await _again(db, client, known[0]), wished)
    staff_id = await create_staff(db, login=said.login, full_name=said.full_name, password=None, language=said.language)
    await queries.keep_made(db, client, staff_id)
    await _write(db, client, staff_id, said, before=())
    if said.active is False:
        await queries.set_active(db, client, staff_id, active=False)
    made = await _again(db, client, staff_id)
    await _record(db, client, staff_id, "machine.user.made", None, made)
    return made


async def change(db: Connection, client: Client, row: Login, wished: User) -> Login:
    """The login as `wished`; what is the same is left alone and not counted."""
    said = read(wished)
    if said.login != row.login and await queries.owner(db, client, said.login) is not None:
        raise UniquenessException(detail=f"userName «{said.login}» is taken.")
    active = row.active if said.active is None else said.active
    _require_own(row, said, active=active)
    await _write(db, client, row.id, said, before=tuple(row.roles), old=row)
    if active != row.active:
        await queries.set_active(db, client, row.id, active=active)
    after = await _again(db, client, row.id)
    if _fact(row) != _fact(after):
        await count_change(db, client, row.id, await queries.base(db, client))
        await _record(db, client, row.id, "machine.user.changed", row, after)
    return after


def _require_own(row: Login, said: Said, *, active: bool) -> None:
    """A login is one for all projects: what it is in others, and what a person shut, is no matter of this system."""
    if active and not row.active and not row.shut_here:
        raise ForbiddenException(detail="A person shut this login: a person opens it.")
    stands = (said.login, said.full_name, said.language, active) == (row.login, row.full_name, row.language, row.active)
    if row.elsewhere and not stands:
        raise ForbiddenException(
            detail="This login works in other projects too: end its roles here; name and state are changed by a person."
        )


async def close(db: Connection, client: Client, row: Login) -> None:
    """Shut the login unless it works elsewhere, end what the system gave it, and let it see it no more."""
    await count_change(db, client, row.id, await queries.base(db, client))
    if row.active and not row.elsewhere:
        await queries.set_active(db, client, row.id, active=False)
    now = await db.fetchval("select now()")
    for grant, _, _ in await queries.given_roles(db, client, row.id):
        await end_grant(db, grant, now)
    await queries.mark_gone(db, client, row.id)
    await _record(db, client, row.id, "machine.user.closed", row, None)


async def _write(
    db: Connection, client: Client, staff_id: int, said: Said, *, before: tuple[str, ...], old: Login | None = None
) -> None:
    """Name, school, own name and roles; what stands there already is not written again."""
    school_id = await queries.school(db, said.school_code) if said.school_code else None
    if said.school_code and school_id is None:
        raise InvalidValueException(detail=f"There is no school «{said.school_code}».")
    stands = old is not None and (said.login, said.display, said.names, said.language, said.school_code) == (
        *(old.login, old.display, (old.family, old.given, old.middle), old.language, old.school_code),
    )
    if not stands:
        await queries.set_login(
            db,
            staff_id,
            login=said.login,
            full_name=said.full_name,
            language=said.language,
            display=said.display,
            names=said.names,
            school_id=school_id,
        )
    if old is None or said.external_id != old.external_id:
        await queries.set_external(db, client, staff_id, said.external_id)
    await _set_roles(db, client, staff_id, said.roles, school_id, before)


async def _set_roles(
    db: Connection,
    client: Client,
    staff_id: int,
    roles: tuple[str, ...],
    school_id: int | None,
    before: tuple[str, ...],
) -> None:
    """Give and end what differs. A role that reads somebody needs its school; what others gave stays."""
    # What it may not give but sees (given by a person) may be sent back to us unchanged.
    foreign = [role for role in roles if role not in client.roles and role not in before]
    if foreign:
        raise ForbiddenException(detail=f"This system may not give the role «{foreign[0]}».")
    held = await queries.given_roles(db, client, staff_id)
    wanted = [role for role in roles if role in client.roles]
    harmless = await queries.harmless(db, client.project, wanted)
    now = await db.fetchval("select now()")
    for grant, role, school in held:
        if role not in wanted or school != school_id:
            await end_grant(db, grant, now)
    kept = {role for _, role, school in held if school == school_id}
    for role in wanted:
        if role in kept:
            continue
        if role not in harmless:
            raise ForbiddenException(detail=f"The role «{role}» is privileged: a person gives it.")
        if not harmless[role] and school_id is None:
            raise InvalidValueException(detail=f"The role «{role}» is given for a school: schoolCode is needed.")
        await give_role(
            db,
            staff_id=staff_id,
            role=role,
            project=client.project,
            place=Place(school=school_id),
            ends_at=school_year_end(now),
        )


def read(wished: User) -> Said:
    """What is said, checked; InvalidValueException names what does not fit."""
    login = (wished.user_name or "").strip().lower()
    if not LOGIN.fullmatch(login):
        raise InvalidValueException(
            detail="userName: 2 to 60 of the letters a–z, digits and . _ @ + -, beginning with a letter or a digit."
        )
    external = (wished.external_id or "").strip()
    if len(external) > 200 or not external.isprintable():
        raise InvalidValueException(detail="externalId has at most 200 printable characters.")
    for name, value in (("userName", login), ("externalId", external), ("displayName", wished.display_name or "")):
        # A login and its facts are read by many and stand in the trail; an IIN does not (SAFETY P5).
        if isinstance(iin.parse(value), iin.Iin):
            raise InvalidValueException(detail=f"{name} is an IIN: take another number, a random one.")
    name, extension = wished.name, wished[School]
    language = (wished.preferred_language or "kk")[:2].lower()
    return Said(
        login=login,
        display=_text(wished.display_name) or None,
        names=(_text(name.family_name), _text(name.given_name), _text(name.middle_name)) if name else ("", "", ""),
        language=language if language in LANGUAGES else "kk",
        active=wished.active,
        external_id=external or None,
        roles=tuple(sorted({role.value for role in wished.roles or [] if role.value})),
        school_code=extension.school_code if extension else None,
    )


def _text(value: str | None) -> str:
    text = " ".join((value or "").split())
    if len(text) > MOST_NAME or not text.isprintable():
        raise InvalidValueException(detail=f"A name has at most {MOST_NAME} printable characters.")
    return text


async def _again(db: Connection, client: Client, staff_id: int) -> Login:
    public_id: UUID = await db.fetchval("select public_id from staff where id = $1", staff_id)
    row = await queries.find(db, client, public_id)
    assert row is not None, "what it wrote is what it sees"
    return row


async def _record(
    db: Connection, client: Client, staff_id: int, act: str, before: Login | None, after: Login | None
) -> None:
    await audit.record_for(
        db,
        staff_id=None,
        acting_as=client.acting_as,
        address=client.address,
        act=act,
        kind="staff",
        object_id=staff_id,
        before=_fact(before) if before else None,
        after=_fact(after) if after else None,
    )


def _fact(row: Login) -> dict[str, object]:
    return {
        "login": row.login,
        "full_name": row.full_name,
        "display": row.display,
        "names": [row.family, row.given, row.middle],
        "language": row.language,
        "active": row.active,
        "roles": row.roles,
        "school": row.school_code,
        "external_id": row.external_id,
    }
