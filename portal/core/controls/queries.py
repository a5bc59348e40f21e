"""SQL of controls: the target within a scope, the values that hold for it, the next version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.controls.structs import Reserve, Standing, Target
from portal.core.problems import NotThere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

CONCERNED = """
    ($2 = 'sitting' or ($2 = 'region' and d.region_code = $3) or ($2 = 'school' and sc.id::text = $3)
     or ($2 = 'attempt' and p.id::text = $3))
"""


async def find_target(db: Connection, sitting_id: int, scope_kind: str, scope_id: str, scope: Scope) -> Target:
    """For whom: only what lies whole in the actor's scope; otherwise it is not there."""
    row = await db.fetchrow(
        f"""
        select count(*) as pupils, array_agg(distinct d.region_code) as regions,
               array_agg(distinct sc.id) as schools, count(a.finished_at) as finished,
               coalesce(bool_and($4 or d.region_code = any($5) or sc.id = any($6)), false) as whole,
               min(concat_ws(' ', p.last_name, p.first_name)) as pupil,
               (select jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en)
                from region where code = $3) as region,
               (select jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en)
                from school where id::text = $3) as school
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join attempt a on a.id = p.id
        where p.sitting_id = $1 and {CONCERNED}
        """,
        *(sitting_id, scope_kind, scope_id),
        *scope.parameters,
    )
    assert row is not None
    if not row["pupils"] or not row["whole"]:
        raise NotThere
    names = {
        "sitting": {"kk": "", "ru": "", "en": ""},
        "region": row["region"],
        "school": row["school"],
        "attempt": dict.fromkeys(("kk", "ru", "en"), row["pupil"]),
    }
    # A region or the whole is named by its regions, so that a person of one school is no second person for it.
    schools = row["schools"] if scope_kind in {"school", "attempt"} else []
    return Target(
        scope=scope_kind,
        scope_id=str(sitting_id) if scope_kind == "sitting" else scope_id,
        name=names[scope_kind],
        regions=row["regions"],
        schools=schools,
        pupils=row["pupils"],
        ended=row["finished"] > 0,
    )


async def standing(db: Connection, sitting_id: int, target: Target) -> Standing:
    """The newest values of a target; call it under the sitting's row lock.

    A stop or a restart of something wider holds here too, and after a restart all counts anew.
    """
    rows = await db.fetch(
        """
        select kind, body
        from control
        where sitting_id = $1
            and ((scope = $2 and scope_id = $3 and kind in ('extra', 'pause', 'resume', 'stop', 'restart'))
                 or (kind in ('stop', 'restart')
                     and (scope = 'sitting' or (scope = 'region' and $4 = array[scope_id])
                          or (scope = 'school' and $5 = array[scope_id]))))
        order by version
        """,
        *(sitting_id, target.scope, target.scope_id, target.regions, [str(school) for school in target.schools]),
    )
    extra_s = paused_s = 0
    since: int | None = None
    stopped: int | None = None
    restart: int | None = None
    for row in rows:
        body: Mapping[str, int] = row["body"]
        match row["kind"]:
            case "extra":
                extra_s = body["extra_s"]
            case "pause":
                since = body["since_ms"]
            case "resume":
                paused_s, since = body["paused_s"], None
            case "stop":
                stopped = body["at_ms"]
            case _:
                extra_s = paused_s = 0
                since = stopped = None
                restart = body["starts_ms"]
    return Standing(extra_s=extra_s, paused_s=paused_s, paused_since_ms=since, stopped_ms=stopped, restart_ms=restart)


async def reserve(db: Connection, sitting_id: int) -> Reserve | None:
    """The sitting's reserve form, with every T0 at which its key goes out or went out; None: there is none."""
    row = await db.fetchrow(
        """
        select f.name, f.state = 'sealed' as sealed, coalesce(k.manifest, '') as manifest,
               array(select distinct o.starts_at
                     from sitting o
                     where o.form_id = f.id and o.state <> 'draft' and o.id <> s.id
                     union
                     select to_timestamp((c.body ->> 'starts_ms')::bigint / 1000.0)
                     from control c
                     join sitting o on o.id = c.sitting_id
                     where c.kind = 'restart' and o.reserve_form_id = f.id
                     order by 1) as starts
        from sitting s
        join form f on f.id = s.reserve_form_id
        left join form_pack k on k.form_id = f.id
        where s.id = $1
        """,
        sitting_id,
    )
    if row is None:
        return None
    return Reserve(
        name=row["name"],
        manifest=row["manifest"],
        sealed=row["sealed"] and bool(row["manifest"]),
        starts=row["starts"],
    )


async def insert_control(
    db: Connection,
    sitting_id: int,
    scope_kind: str,
    scope_id: str,
    kind: str,
    body: dict[str, Any],
    staff_id: int | None,
) -> int:
    """The next version, in commit order: the sitting's row is locked by the caller; no staff: by rule. Returns the version."""
    version = await db.fetchval(
        "update sitting set control_version = control_version + 1 where id = $1 returning control_version", sitting_id
    )
    await db.execute(
        """
        insert into control (sitting_id, scope, scope_id, version, kind, body, made_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        *(sitting_id, scope_kind, scope_id, version, kind, body, staff_id),
    )
    return version


async def reopen_attempts(db: Connection, sitting_id: int, scope_kind: str, scope_id: str) -> int:
    """Hand-ins of a target are taken back."""
    done = await db.execute(
        f"""
        update attempt a
        set finished_at = null, finish_device = null, reopened_at = now()
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where a.id = p.id and p.sitting_id = $1 and a.finished_at is not null and {CONCERNED}
        """,
        *(sitting_id, scope_kind, scope_id),
    )
    return int(done.split()[-1])
