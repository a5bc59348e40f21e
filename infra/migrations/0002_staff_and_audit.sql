-- 0002_staff_and_audit.sql
-- Why     Staff sign in; permissions are data; every privileged act is on record (SPEC R4, X1; SAFETY J5).
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   after 0001.
-- Back    drop the tables.
create table staff (
    id int generated always as identity primary key,
    login text not null unique check (login = lower(login)),
    full_name text not null,
    language text not null default 'kk' check (language in ('kk', 'ru', 'en')),
    password_hash text not null,
    own_school_id int references school (id),
    demo boolean not null default false,
    failed_sign_ins smallint not null default 0,
    locked_until timestamptz,
    disabled_at timestamptz,
    created_at timestamptz not null default now()
);
comment on column staff.password_hash is 'argon2id.';
comment on column staff.own_school_id is 'Nobody acts on his own school (SAFETY J5).';
comment on column staff.demo is 'A login of the demo; with one of these up binds to loopback only (SAFETY J9).';

create table role_permission (
    role text not null,
    permission text not null,
    primary key (role, permission)
);
comment on table role_permission is 'What a role may do; the permissions themselves are declared in code beside each route.';

create table staff_grant (
    id int generated always as identity primary key,
    staff_id int not null references staff (id),
    role text not null,
    project text not null default 'myn-bala',
    region_code text references region (code),
    school_id int references school (id),
    given_by int references staff (id),
    given_at timestamptz not null default now(),
    ends_at timestamptz not null
);
comment on table staff_grant is 'A role for a project within a territory: the country (both null), a region or a school; always with an end.';
create index staff_grant_staff on staff_grant (staff_id);

create table staff_session (
    key_hash bytea primary key,
    staff_id int not null references staff (id),
    csrf text not null,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    ends_at timestamptz not null,
    address text not null,
    agent text not null
);
comment on column staff_session.key_hash is 'SHA-256 of the cookie: a dump of the table signs nobody in.';

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    staff_id int references staff (id),
    acting_as text not null,
    address text not null,
    act text not null,
    object_kind text not null,
    object_id text not null,
    before jsonb,
    after jsonb,
    reason text not null default '',
    previous_hash bytea not null,
    hash bytea not null
);
comment on table audit is 'Append-only and hash-chained: hash = sha256(previous_hash || the row as canonical text).';
create index audit_object on audit (object_kind, object_id, id);
create index audit_staff on audit (staff_id, id);

create table audit_head (
    only_row boolean primary key default true check (only_row),
    last_id bigint not null,
    hash bytea not null
);
insert into audit_head (last_id, hash) values (0, decode(repeat('00', 32), 'hex'));

-- The chain is made inside the database, so that no writer can skip it and two writers can't fork it.
create function audit_chain() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    select hash into new.previous_hash from audit_head where only_row for update;
    new.hash := sha256(new.previous_hash || convert_to(jsonb_build_array(
        new.id, extract(epoch from new.at), new.staff_id, new.acting_as, new.address, new.act,
        new.object_kind, new.object_id, new.before, new.after, new.reason)::text, 'UTF8'));
    update audit_head set last_id = new.id, hash = new.hash where only_row;
    return new;
end
$$;
create trigger audit_chain before insert on audit for each row execute function audit_chain();

create function audit_broken_at() returns bigint
    language sql stable security definer set search_path = public, pg_temp as
$$
    with chained as (
        select id, previous_hash, hash,
               lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by id) as expected_previous,
               sha256(previous_hash || convert_to(jsonb_build_array(
                   id, extract(epoch from at), staff_id, acting_as, address, act,
                   object_kind, object_id, before, after, reason)::text, 'UTF8')) as expected
        from audit
    )
    select min(id) from chained where previous_hash <> expected_previous or hash <> expected
$$;
comment on function audit_broken_at is 'The first row whose chain does not hold; null when all of it does.';

create table pending_act (
    id bigint generated always as identity primary key,
    sitting_id int,
    act text not null,
    payload jsonb not null,
    before jsonb,
    after jsonb,
    reason text not null default '',
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    decided_by int references staff (id),
    decided_at timestamptz,
    state text not null default 'waits' check (state in ('waits', 'done', 'refused', 'withdrawn')),
    check (decided_by is null or decided_by <> made_by or state = 'withdrawn')
);
comment on table pending_act is 'Acts that need two persons (SAFETY J5): the second sees before and after, then does or refuses it.';
create index pending_act_waiting on pending_act (sitting_id) where state = 'waits';

create table job (
    id bigint generated always as identity primary key,
    kind text not null,
    sitting_id int,
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    done int not null default 0,
    total int not null default 0,
    payload jsonb not null default '{}',
    result jsonb,
    changed_at timestamptz not null default now()
);
comment on table job is 'What a person sees of long work; the queue itself is SAQ.';

grant select, insert, update on staff, staff_grant, staff_session, role_permission, pending_act, job to elumiti_portal;
grant delete on staff_session, role_permission to elumiti_portal;
grant select, insert on audit to elumiti_portal, elumiti_scoring;
grant select on audit_head to elumiti_portal;
grant execute on function audit_broken_at to elumiti_portal;
grant select, update on job to elumiti_scoring;
