-- 0072_live_view.sql
-- Why     Live view of one child (SPEC P3, SAFETY R4): who asked to look into whose room, when it began, when it ended and why.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   before the forwarder, the ingest and the portal that read it. Older code ignores it.
-- Back    drop the table and the function.
set local lock_timeout = '2s';

create table watch_live (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    staff_id int not null references staff (id),
    forwarder text not null,
    reason text not null default '',
    asked_at timestamptz not null default now(),
    waits_until timestamptz not null,
    began_at timestamptz,
    ends_at timestamptz,
    ended_at timestamptz,
    why text check (why in (
        'proctor', 'phone', 'thin-line', 'limit', 'consent', 'finished', 'no-answer', 'viewer-left', 'phone-left', 'lost')),
    check ((ended_at is null) = (why is null))
);
comment on table watch_live is 'One stretch of looking live at one child: three minutes at the most, shown to the child, never recorded.';
comment on column watch_live.forwarder is 'Public address of the process that passes the packets on: both sides go to the same one.';
comment on column watch_live.waits_until is 'Until then the phone may hear of it with the reply to a picture.';
comment on column watch_live.ends_at is 'Set when the phone begins; the forwarder ends it by its own clock.';
comment on column watch_live.why is 'Who or what ended it; lost: the forwarder was restarted or is gone.';
create unique index watch_live_open on watch_live (attempt_id) where ended_at is null;
create index watch_live_attempt on watch_live (attempt_id, id);
create index watch_live_waiting on watch_live (waits_until) where ended_at is null;

-- Who asks, learns no person and no consent: only whether this child may be looked at now.
create function live_allowed(attempt bigint) returns boolean
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select exists (
        select from participant p
        join sitting_watch w on w.sitting_id = p.sitting_id
        where p.id = live_allowed.attempt and consent_holds(p.person_id, 'camera')
            and not exists (
                select from picture_erasure e
                where e.sitting_id = p.sitting_id and (e.attempt_id = p.id or e.attempt_id is null)));
end;
revoke all on function live_allowed from public;
grant execute on function live_allowed to elumiti_proctoring, elumiti_portal;

grant select, insert on watch_live to elumiti_portal;
grant update (ended_at, why) on watch_live to elumiti_portal;
grant select on watch_live to elumiti_proctoring;
grant update (began_at, ends_at, ended_at, why) on watch_live to elumiti_proctoring;
grant select (id, finished_at) on attempt to elumiti_proctoring;
