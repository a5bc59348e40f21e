-- 0050_machines.sql
-- Why     Users synchronised both ways (SPEC X2): other systems keep logins of a project in step by SCIM 2.0, and hear of
--         changes by signed webhooks. SAFETY P4: no privileged role, nothing of talents, 1 % an hour and then a person.
-- Locks   staff: access exclusive; public_id has a volatile default, so the table is written anew (some 10 000 rows: under a
--         second). staff_grant: share row exclusive while a trigger is made.
-- Time    seconds at most; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the triggers, the tables and the columns, and the permissions' rows.
set local lock_timeout = '2s';

alter table staff
    add column public_id uuid not null default gen_random_uuid(),
    add column changed_at timestamptz not null default now();
comment on column staff.public_id is 'What machines call this login by; tells nothing.';
comment on column staff.changed_at is 'When name, login, language, state or roles changed last: the version that machines see.';
create unique index staff_public on staff (public_id);

create table machine_client (
    id int generated always as identity primary key,
    name text not null check (name <> ''),
    project text not null references project (code),
    roles text[] not null default '{}',
    token_hash bytea unique,
    token_ends_at timestamptz,
    used_at timestamptz,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    stopped_at timestamptz,
    stopped_why text not null default '' check (stopped_why in ('', 'measure', 'person')),
    check ((stopped_at is null) = (stopped_why = ''))
);
comment on table machine_client is 'A system that keeps logins of a project in step by SCIM.';
comment on column machine_client.roles is 'The roles of the project that it may give; never privileged ones, which is asked again at each giving.';
comment on column machine_client.token_hash is 'SHA-256 of its bearer token, shown once.';
comment on column machine_client.stopped_why is 'measure: it closed or changed more than 1 % of persons in an hour (SAFETY P4); a person lets it go on.';

create table machine_user (
    staff_id int primary key references staff (id),
    client_id int not null references machine_client (id),
    made_at timestamptz not null default now(),
    gone_at timestamptz
);
comment on column machine_user.gone_at is 'Deleted by its machine then: closed, and no longer seen by it; the same name made anew opens it again.';
comment on table machine_user is 'Logins that a machine made; all others of its project it only keeps in step.';
create table machine_external (
    client_id int not null references machine_client (id),
    staff_id int not null references staff (id),
    external_id text not null check (external_id <> ''),
    primary key (client_id, staff_id)
);
create index machine_external_id on machine_external (client_id, external_id);
create table machine_said (
    staff_id int primary key references staff (id),
    display text,
    family text not null default '',
    given text not null default '',
    middle text not null default '',
    school_id int references school (id)
);
comment on table machine_said is 'Name and school as a machine gave them. The portal shows staff.full_name, and the school of each grant.';

create table machine_change (
    client_id int not null references machine_client (id),
    staff_id int not null references staff (id),
    at timestamptz not null default now()
);
comment on table machine_change is 'Whom a machine closed or changed, for the measure of an hour; erased after a day.';
create index machine_change_hour on machine_change (client_id, at);

create table webhook (
    id int generated always as identity primary key,
    name text not null check (name <> ''),
    project text not null references project (code),
    url text not null,
    kinds text[] not null,
    secret bytea not null,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    off_at timestamptz
);
comment on column webhook.secret is 'Sealed with a key of the portal''s: a dump of the table signs nothing.';
create table webhook_delivery (
    id bigint generated always as identity primary key,
    webhook_id int not null references webhook (id),
    event_id uuid not null,
    kind text not null,
    object_id text not null,
    happened_at timestamptz not null default now(),
    state text not null default 'queued' check (state in ('queued', 'sent', 'failed', 'given_up')),
    tries smallint not null default 0,
    next_at timestamptz not null default now(),
    sent_at timestamptz,
    said text not null default ''
);
comment on table webhook_delivery is 'What a hook is told: a kind and an id, no personal data (SAFETY P4).';
create index webhook_delivery_due on webhook_delivery (next_at, id) where state in ('queued', 'failed');
create index webhook_delivery_of on webhook_delivery (webhook_id, id desc);

-- Privileged: holds a role whose holder needs a second factor. Machines neither see nor touch such a login.
create function is_privileged(p_staff int) returns boolean
    language sql stable
    return exists (
        select from staff_grant g
        where g.staff_id = p_staff and g.ends_at > now()
            and not exists (
                select from role_permission rp where rp.role = g.role and rp.permission = 'account.password-alone'));

-- One event for all hooks of the projects that want its kind. Who caused it as a machine hears of it as well: its own
-- book-keeping knows the id, and a second system behind the same hook does not.
create function tell_hooks(p_projects text[], p_kind text, p_object text) returns void
    language sql security definer set search_path = public, pg_temp as
$$
    insert into webhook_delivery (webhook_id, event_id, kind, object_id)
    select w.id, e.id, p_kind, p_object
    from (select gen_random_uuid() as id) e, webhook w
    where w.off_at is null and p_kind = any (w.kinds) and w.project = any (p_projects)
    order by w.id
$$;
revoke execute on function tell_hooks from public;

-- By trigger, so that no way of changing a login can forget it.
create function staff_told() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
declare
    projects text[];
begin
    select array_agg(distinct coalesce(g.project, p.code)) into projects
    from staff_grant g join project p on g.project is null or p.code = g.project
    where g.staff_id = new.id;
    if projects is null or is_privileged(new.id) then
        return null;
    end if;
    if (old.login, old.full_name, old.language) is distinct from (new.login, new.full_name, new.language) then
        perform tell_hooks(projects, 'user.changed', new.public_id::text);
    end if;
    if (old.disabled_at is null) <> (new.disabled_at is null) then
        perform tell_hooks(projects, case when new.disabled_at is null then 'user.opened' else 'user.closed' end, new.public_id::text);
    end if;
    return null;
end
$$;
create function staff_changed() returns trigger language plpgsql as
$$
begin
    if (old.login, old.full_name, old.language, old.disabled_at) is distinct from (new.login, new.full_name, new.language, new.disabled_at) then
        new.changed_at := now();
    end if;
    return new;
end
$$;
create trigger staff_changed before update on staff for each row execute function staff_changed();
create trigger staff_told after update on staff for each row
    when ((old.login, old.full_name, old.language, old.disabled_at) is distinct from (new.login, new.full_name, new.language, new.disabled_at))
    execute function staff_told();

create function grant_told() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
declare
    subject uuid;
begin
    update staff set changed_at = now() where id = new.staff_id returning public_id into subject;
    if not is_privileged(new.staff_id) then
        perform tell_hooks(
            case when new.project is null then (select array_agg(code) from project) else array[new.project] end,
            'user.roles', subject::text);
    end if;
    return null;
end
$$;
create trigger grant_told_made after insert on staff_grant for each row execute function grant_told();
create trigger grant_told after update on staff_grant for each row
    when ((old.ends_at, old.asleep_at) is distinct from (new.ends_at, new.asleep_at)) execute function grant_told();

grant select, insert, update on machine_client, webhook to elumiti_portal;
grant select, insert, update on machine_user, machine_external, machine_said to elumiti_portal;
grant delete on machine_external to elumiti_portal;
grant select, insert, delete on machine_change to elumiti_portal;
grant select, insert, update, delete on webhook_delivery to elumiti_portal;
grant execute on function tell_hooks to elumiti_portal;

insert into role_permission (role, permission, at_rest) values
    ('super-admin', 'machine.view', true),
    ('super-admin', 'machine.edit', false),
    ('system-admin', 'machine.view', false),
    ('system-admin', 'machine.edit', false)
on conflict do nothing;
