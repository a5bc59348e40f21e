-- 0033_room_codes.sql
-- Why     The key has a second channel: a code a room opens the room's sealed blob when the start service is down
--         (SAFETY M1, docs/decisions/0041).
-- Locks   participant: access exclusive for the catalogue only, a nullable column rewrites nothing; the foreign key
--         takes share row exclusive on it. sitting: share row exclusive for its trigger. Else new objects.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the release that writes them. Older code leaves them alone.
-- Back    drop the triggers and the tables; leave the columns.
set local lock_timeout = '2s';

-- `elumiti migrate` makes the login; an installation without a release process has the role without one.
do $$
begin
    if not exists (select from pg_roles where rolname = 'elumiti_release') then
        create role elumiti_release nologin;
    end if;
end
$$;
grant usage on schema public to elumiti_release;

create table room (
    id int generated always as identity primary key,
    sitting_id int not null references sitting (id),
    school_id int not null references school (id),
    name text not null check (name <> '' and length(name) <= 60),
    made_at timestamptz not null default now(),
    unique (sitting_id, school_id, name)
);
comment on table room is 'A supervised room of a school in a sitting; pupils at home have none.';

alter table participant
    -- Never filled and never read: a room is a row of its own.
    drop column room,
    add column room_id int references room (id);
create index participant_room on participant (room_id) where room_id is not null;
grant select (room_id) on participant to elumiti_engine;
alter table participant_staging add column room text not null default '';

-- Where a form's blobs lie: one object, named by its hash, that holds the blobs of all its rooms.
alter table form_pack add column room_blobs text not null default '';

create table room_code (
    form_id int not null references form (id),
    number int not null check (number > 0),
    -- To the release service's key; no running process but that one can open it.
    sealed bytea not null,
    blob text not null,
    room_id int references room (id) on delete set null,
    closed_at timestamptz,
    closed_reason text check (closed_reason in ('opened-early')),
    changed_in xid8 not null default pg_current_xact_id(),
    primary key (form_id, number),
    check ((closed_at is null) = (closed_reason is null))
);
comment on table room_code is 'Numbered codes of a form as packed, each for one room at most; the code itself is sealed.';
comment on column room_code.blob is 'SHA-256 of the blob that the code opens, as /v1/bundles serves it.';
create unique index room_code_open_of_a_room on room_code (form_id, room_id) where closed_at is null and room_id is not null;
create index room_code_room on room_code (room_id) where room_id is not null;

create table room_code_open (
    form_id int not null,
    number int not null,
    code text not null,
    opened_at timestamptz not null default now(),
    primary key (form_id, number),
    foreign key (form_id, number) references room_code (form_id, number) on delete cascade
);
comment on table room_code_open is 'Codes in clear, from T0 on; only the release process writes here.';

create table room_opening (
    attempt_id bigint not null references participant (id),
    device uuid not null,
    seq int not null,
    sitting_id int not null,
    leg smallint not null,
    number int not null,
    room_id int references room (id) on delete set null,
    at_ms bigint not null,
    jump_ms bigint not null,
    anchor_ms bigint,
    since_ms int not null,
    received_ms bigint not null,
    -- Before T0, and how it shows; a number that is not the pupil's room's.
    early text check (early in ('received', 'anchor', 'told')),
    foreign_number boolean not null default false,
    primary key (attempt_id, device, seq)
);
comment on table room_opening is 'A device says that it opened the form with a room code (events of kind opened).';
create index room_opening_sitting on room_opening (sitting_id);

-- Every room of the form's sittings that has no open code gets the next free number; two rooms never share one.
-- Planned for one row, the join of thousands with thousands was a nested loop of 19 s.
create function give_room_codes(p_form integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off
as $$
declare
    given integer;
begin
    perform pg_advisory_xact_lock(1919905645, p_form);
    with wanting as (
        select r.id, row_number() over (order by r.id) as place
        from room r
        join sitting s on s.id = r.sitting_id
        where p_form in (s.form_id, s.reserve_form_id)
            and not exists (
                select 1 from room_code c where c.form_id = p_form and c.room_id = r.id and c.closed_at is null)
    ), spare as (
        select number, row_number() over (order by number) as place
        from room_code
        where form_id = p_form and room_id is null and closed_at is null
    )
    update room_code c
    set room_id = w.id, changed_in = pg_current_xact_id()
    from wanting w
    join spare f using (place)
    where c.form_id = p_form and c.number = f.number;
    get diagnostics given = row_count;
    return given;
end
$$;
revoke execute on function give_room_codes from public;
grant execute on function give_room_codes to elumiti_portal, elumiti_flusher;

create function rooms_want_codes() returns trigger
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    perform give_room_codes(form)
    from (
        select distinct form
        from made
        join sitting s on s.id = made.sitting_id
        cross join lateral (values (s.form_id), (s.reserve_form_id)) as f (form)
        where form is not null
    ) as forms
    -- One order for all who take the locks.
    order by form;
    return null;
end
$$;
create trigger room_made after insert on room referencing new table as made
    for each statement execute function rooms_want_codes();

create function sitting_wants_codes() returns trigger
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    perform give_room_codes(form)
    from (values (new.form_id), (new.reserve_form_id)) as f (form)
    where form is not null
    order by form;
    return null;
end
$$;
create trigger sitting_forms after update of form_id, reserve_form_id on sitting for each row
    when (old.form_id is distinct from new.form_id or old.reserve_form_id is distinct from new.reserve_form_id)
    execute function sitting_wants_codes();

grant select on room to elumiti_engine, elumiti_flusher, elumiti_portal, elumiti_scoring, elumiti_release;
grant insert, delete on room to elumiti_portal;
grant select (form_id, number, blob, room_id, closed_at, closed_reason, changed_in) on room_code to elumiti_engine, elumiti_flusher, elumiti_portal;
grant insert, delete on room_code to elumiti_portal;
grant update (closed_at, closed_reason, changed_in) on room_code to elumiti_flusher;
grant select on room_code to elumiti_release;
grant select, insert on room_code_open to elumiti_release;
grant select on room_code_open to elumiti_portal;
grant select, insert on room_opening to elumiti_flusher;
grant select on room_opening to elumiti_portal;
grant select on migration, sitting, sitting_region, school, district, control to elumiti_release;
grant select (id, languages) on test to elumiti_release;
grant insert on audit to elumiti_release;

insert into role_permission (role, permission) values
    ('super-admin', 'room.code'),
    ('test-administrator', 'room.code'),
    ('proctor', 'room.code');
