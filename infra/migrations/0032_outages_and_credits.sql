-- 0032_outages_and_credits.sql
-- Why     Time that an outage took from a pupil is given back by rule; the public is told of outages and incidents.
-- Locks   control: access exclusive for the catalogue; the check is NOT VALID, so nothing is scanned. Else new objects;
--         foreign keys take share row exclusive on staff and participant for the catalogue.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the release that writes them. Older code leaves them alone; players of it ignore the control `credit`.
-- Back    drop the tables; controls of kind `credit` stay and are ignored by older code.
set local lock_timeout = '2s';

-- `elumiti migrate` makes the login; an installation that runs no status page has the role without one.
do $$
begin
    if not exists (select from pg_roles where rolname = 'elumiti_status') then
        create role elumiti_status nologin;
    end if;
end
$$;
grant usage on schema public to elumiti_status;

alter table control
    drop constraint control_kind_check,
    add constraint control_kind_check
        check (kind in ('message', 'erratum', 'extra', 'pause', 'resume', 'end', 'reopen', 'stop', 'restart', 'credit'))
        not valid;

create table outage (
    id bigint generated always as identity primary key,
    step text not null check (step in ('page', 'sign-in', 'key', 'resume', 'save', 'results')),
    began_ms bigint not null,
    ended_ms bigint not null check (ended_ms >= began_ms),
    is_over boolean not null default false,
    changed_at timestamptz not null default clock_timestamp()
);
comment on table outage is 'When a step of the way did not work, as probes over HTTP saw it (elumiti status).';
comment on column outage.began_ms is 'The last good probe before it: Unix ms.';
comment on column outage.ended_ms is 'The first good probe after it; while it lasts, the newest bad one: Unix ms.';
create index outage_changed on outage (changed_at);
create index outage_ended on outage (ended_ms);

create table tried (
    attempt_id bigint not null,
    device uuid not null,
    seq int not null,
    sitting_id int not null,
    step text not null,
    from_ms bigint not null,
    until_ms bigint not null,
    weighed_at timestamptz,
    primary key (attempt_id, device, seq)
);
comment on table tried is 'A device says that from … until it tried a step in vain (events of kind tried). It gives time only where outage agrees.';
create index tried_unweighed on tried (sitting_id, attempt_id) where weighed_at is null;
create index tried_until on tried (until_ms);

create table credit (
    attempt_id bigint not null references participant (id),
    leg smallint not null,
    sitting_id int not null,
    clock_s int not null,
    entry_s int not null,
    lost_s int not null,
    by_hand_s int not null,
    capped boolean not null,
    parts jsonb not null,
    version int not null,
    given_at timestamptz not null default now(),
    primary key (attempt_id, leg)
);
comment on table credit is 'Time given back by rule, as the newest control credit of an attempt says it, with how it came about.';
comment on column credit.leg is '0 on the sitting''s form, 1 on its reserve.';
comment on column credit.parts is 'Outage id → milliseconds of it that this attempt lost.';
create index credit_sitting on credit (sitting_id);

create table incident (
    id int generated always as identity primary key,
    project text not null,
    text jsonb not null,
    began_at timestamptz not null,
    ended_at timestamptz,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    ended_by int references staff (id),
    check (ended_at >= began_at)
);
comment on table incident is 'What staff tell the public on the status page; plain text in three languages.';

grant select on migration, outage, incident, audit_head to elumiti_status;
grant insert, update on outage to elumiti_status;
grant select (id, project, title, starts_at, last_entry_at, ends_at, duration_s, state) on sitting to elumiti_status;
grant select on outage to elumiti_portal;
grant select, insert on tried to elumiti_flusher;
grant select, update (weighed_at) on tried to elumiti_portal;
grant select, insert, update on credit to elumiti_portal;
grant select, insert, update (ended_at, ended_by) on incident to elumiti_portal;

insert into role_permission (role, permission)
values ('test-administrator', 'incident.write'), ('super-admin', 'incident.write')
on conflict do nothing;
