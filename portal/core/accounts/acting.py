"""Who acts in a request, with the rights of this very moment: a role taken away ends with the next one.

One statement reads it all: the session, the grants with their permissions, the project's modules, a waiver. What the
person may is then cut: to nothing before a second factor, to reading outside of a raised session, to another role's
view while he sees the house as that one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.accounts.sessions import IDLE, SEEN_EVERY, key_hash
from portal.core.accounts.structs import Actor, Grant, Raised, SeenAs, Waiver
from portal.core.permissions.catalogue import PASSWORD_ALONE
from portal.core.projects import Project

if TYPE_CHECKING:
    from asyncpg import Record

    from portal.core.db import Pool

SEE_AS = "role.see-as"
STATEMENT = """
    select s.staff_id, s.csrf, s.seen_at, s.project, s.factor_at, s.raised_until, s.raised_reason, s.seen_as, s.seen_until,
           st.login, st.full_name, st.language, st.own_school_id, st.demo, st.person_id,
           st.registered_at is not null as registered,
           (
               select coalesce(jsonb_agg(jsonb_build_object(
                   'code', p.code, 'name', jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en))
                   order by p.place, p.code), '[]'::jsonb)
               from project p
               where p.code = s.project or exists (
                   select
                   from staff_grant g
                   where g.staff_id = st.id and g.ends_at > $2 and g.asleep_at is null
                       and (g.project is null or g.project = p.code))) as projects,
           array(select module from project_module m where m.project = s.project and not m.is_on) as off,
           coalesce((
               select jsonb_agg(jsonb_build_object(
                   'id', g.id, 'role', g.role, 'project', g.project, 'region', g.region_code, 'district', g.district_id,
                   'district_schools', array(select id from school where district_id = g.district_id),
                   'school', g.school_id, 'class_name', g.class_name, 'own_pupils', g.own_pupils, 'used_at', g.used_at,
                   'name', jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en), 'raised', r.raised,
                   'registers', r.registers, 'teaches', r.teaches,
                   'permissions', (
                       select coalesce(jsonb_object_agg(rp.permission, rp.at_rest), '{}'::jsonb)
                       from role_permission rp where rp.role = g.role)) order by g.id)
               from staff_grant g
               join role r on r.code = g.role
               where g.staff_id = st.id and (g.project is null or g.project = s.project) and g.ends_at > $2
                   and g.asleep_at is null), '[]'::jsonb) as grants,
           (
               select jsonb_build_object('id', w.id, 'reason', w.reason, 'ends_at', w.ends_at,
                                         'asked_by', w.asked_by, 'agreed_by', w.agreed_by,
                                         'asked_by_name', a.full_name, 'agreed_by_name', b.full_name)
               from waiver w
               join staff a on a.id = w.asked_by
               join staff b on b.id = w.agreed_by
               where w.project = s.project and w.ends_at > $2
               order by w.id desc
               limit 1) as waiver,
           (
               select count(*)
               from (select from notice n where n.staff_id = st.id and n.read_at is null limit 100) unread) as unread
    from staff_session s
    join staff st on st.id = s.staff_id
    where s.key_hash = $1 and s.ends_at > $2 and s.seen_at > $2 - $3::interval and st.disabled_at is null
        and (s.identity_id is null or not is_privileged(st.id, $2))
"""
AS_ROLE = """
    select jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as name,
           array(select id from school where district_id = $2) as district_schools,
           array(select permission from role_permission where role = r.code) as permissions, r.teaches
    from role r
    where r.code = $1
"""


async def actor_of(pool: Pool, key: str, address: str, *, touch: bool = True) -> Actor | None:
    """The person behind a cookie; None: no session, or one that ended.

    A session that a provider opened is none for who has, in any project, a role that wants more (SAFETY P3).
    Without `touch` the session does not live on by this request: it is the page's own, not the person's.
    """
    now = datetime.now(UTC)
    hashed = key_hash(key)
    row = await pool.fetchrow(STATEMENT, hashed, now, IDLE)
    if row is None:
        return None
    if touch and row["seen_at"] < now - SEEN_EVERY:
        await pool.execute("update staff_session set seen_at = $2 where key_hash = $1", hashed, now)
    raised = None
    if row["raised_until"] is not None and row["raised_until"] > now:
        raised = Raised(row["raised_reason"], row["raised_until"])
    # The demo prints its passwords and listens to this machine alone (SAFETY J9): a second factor would guard nothing.
    alone = row["demo"] or all(PASSWORD_ALONE in given["permissions"] for given in row["grants"])
    wants_factor = not alone and row["factor_at"] is None
    grants = () if wants_factor else tuple(grant_now(given, raised is not None) for given in row["grants"])
    actor = Actor(
        staff_id=row["staff_id"],
        login=row["login"],
        full_name=row["full_name"],
        language=row["language"],
        own_school_id=row["own_school_id"],
        grants=grants,
        csrf=row["csrf"],
        session=hashed,
        address=address,
        person_id=row["person_id"],
        registered=row["registered"],
        unread=row["unread"],
        waiver=msgspec.convert(row["waiver"], Waiver | None),
        project=row["project"],
        projects=msgspec.convert(row["projects"], tuple[Project, ...]),
        off=frozenset(row["off"]),
        wants_factor=wants_factor,
        may_raise=not wants_factor and any(given["raised"] for given in row["grants"]),
        raised=raised,
        own_roles=tuple(sorted({given["role"] for given in row["grants"]})),
    )
    return await _seen_as(pool, actor, row, now)


def grant_now(given: dict[str, Any], is_raised: bool) -> Grant:  # noqa: FBT001 (one word, beside what it decides)
    """The grant with what it gives now: of a role that works in raised sessions only what holds at rest."""
    permissions: dict[str, bool] = given["permissions"]
    waits = {code for code, at_rest in permissions.items() if not at_rest} if given["raised"] else set[str]()
    now = permissions.keys() - (set[str]() if is_raised else waits)
    # What the struct does not know (`raised`) is left out by the conversion.
    return msgspec.convert(given | {"permissions": now, "raised_only": waits}, Grant)


async def _seen_as(pool: Pool, actor: Actor, row: Record, now: datetime) -> Actor:
    """The actor cut to the role that he looks through, if he does and still may."""
    asked: dict[str, Any] | None = row["seen_as"]
    if asked is None or row["seen_until"] <= now or not actor.scope(SEE_AS).country:
        return actor
    role = await pool.fetchrow(AS_ROLE, asked["role"], asked["district"])
    if role is None:
        return actor
    place = {name: asked[name] for name in ("region", "district", "school", "class_name", "own_pupils")}
    grant = Grant(
        id=0,
        role=asked["role"],
        name=role["name"],
        project=actor.project,
        district_schools=tuple(role["district_schools"]),
        used_at=now,
        permissions=frozenset(role["permissions"]),
        teaches=role["teaches"],
        **place,
    )
    seen = SeenAs(
        role=asked["role"], name=role["name"], region=asked["region"], school=asked["school"], ends_at=row["seen_until"]
    )
    return msgspec.structs.replace(actor, grants=(grant,), seen_as=seen, may_raise=False)
