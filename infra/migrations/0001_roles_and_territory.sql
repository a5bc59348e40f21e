-- 0001_roles_and_territory.sql
-- Why     Every process has its own database role (SAFETY D5, J6); regions and schools are the ground of all lists.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   first.
-- Back    drop the database.
-- The login roles are made by `elumiti migrate` before this runs (a role is the cluster's, not the database's).
revoke all on schema public from public;
grant usage on schema public to elumiti_engine, elumiti_flusher, elumiti_portal, elumiti_scoring;

-- Kazakh order without ICU: each letter becomes its place in the alphabet, compared bytewise.
create function kk(t text) returns text
    language sql immutable strict parallel safe
    return translate(
        lower(t),
        'аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя',
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghij'
    ) collate "C";
comment on function kk is 'Sort key of the Kazakh alphabet; use as order by kk(name), with a tie-breaker.';

create table region (
    code text primary key,
    name_kk text not null,
    name_ru text not null,
    name_en text not null
);
comment on table region is 'The first-level units of Kazakhstan; code is ISO 3166-2.';

create table district (
    id int generated always as identity primary key,
    region_code text not null references region (code),
    name_kk text not null,
    name_ru text not null,
    name_en text not null,
    unique (region_code, name_kk)
);

create table school (
    id int generated always as identity primary key,
    district_id int not null references district (id),
    code text not null unique,
    name_kk text not null,
    name_ru text not null,
    name_en text not null,
    contact_name text not null default '',
    contact_phone text not null default ''
);
comment on column school.code is 'The code that import files name the school by.';

create table setting (
    name text primary key,
    value jsonb not null,
    changed_at timestamptz not null default now()
);
comment on table setting is 'Values that staff change without a deployment; never secrets.';

create table generation (
    only_row boolean primary key default true check (only_row),
    number int not null
);
comment on table generation is 'Raised after a restore or a trimmed gap, so that players ask what is missing (rule 6).';
insert into generation (number) values (1);

grant select on region, district, school, setting, generation
    to elumiti_engine, elumiti_flusher, elumiti_portal, elumiti_scoring;
grant insert, update on region, district, school, setting to elumiti_portal;
