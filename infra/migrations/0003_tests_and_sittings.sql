-- 0003_tests_and_sittings.sql
-- Why     Tests, forms, sittings and who takes part (SPEC T1, T2; SAFETY D1, D3, J3, J6).
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   after 0002.
-- Back    drop the tables.
create schema keys;
revoke all on schema keys from public;
grant usage on schema keys to elumiti_scoring;

create table test (
    id int generated always as identity primary key,
    project text not null default 'myn-bala',
    code text not null unique,
    title jsonb not null,
    languages text[] not null default '{kk,ru,en}',
    created_at timestamptz not null default now()
);
comment on column test.title is '{"kk": …, "ru": …, "en": …}; so are all texts of jsonb kind in this schema.';

create table form (
    id int generated always as identity primary key,
    test_id int not null references test (id),
    name text not null,
    state text not null default 'draft' check (state in ('draft', 'sealed', 'burnt')),
    burnt_at timestamptz,
    unique (test_id, name)
);
comment on column form.burnt_at is 'First T0 at which its key may have been released: who has not opened it by last entry never will (SAFETY D1).';

create table form_section (
    form_id int not null references form (id),
    number smallint not null,
    title jsonb not null,
    primary key (form_id, number)
);

create table form_item (
    form_id int not null references form (id),
    code text not null,
    section smallint not null,
    position smallint not null,
    kind text not null,
    content jsonb not null,
    topic text not null,
    skill text not null,
    primary key (form_id, code),
    foreign key (form_id, section) references form_section (form_id, number)
);
comment on table form_item is 'The authored item without its key; code names it for authors and analysts.';

create table form_media (
    form_id int not null references form (id),
    name text not null,
    content_type text not null,
    bytes bytea not null,
    primary key (form_id, name)
);

create table keys.item_key (
    form_id int not null references form (id),
    code text not null,
    rule jsonb not null,
    points numeric(6, 2) not null,
    voided boolean not null default false,
    primary key (form_id, code)
);
comment on table keys.item_key is 'The rule by which a response earns points. Read by the scoring role alone (SAFETY J6).';

create table form_pack (
    form_id int primary key references form (id),
    manifest text not null,
    item_map jsonb not null,
    packed_at timestamptz not null default now()
);
comment on column form_pack.manifest is 'Hash of the manifest file in the bundle store.';
comment on column form_pack.item_map is 'code → {id, section, options: {authored option → id}}: how the wire ids of one packing map back.';

create table form_key (
    form_id int not null references form (id),
    section smallint not null,
    language text not null,
    sealed bytea not null,
    primary key (form_id, section, language)
);
comment on column form_key.sealed is 'The 32-byte key, sealed to the release service''s public key (SAFETY D3).';

create table sitting (
    id int generated always as identity primary key,
    project text not null default 'myn-bala',
    test_id int not null references test (id),
    form_id int not null references form (id),
    reserve_form_id int references form (id),
    title jsonb not null,
    starts_at timestamptz not null,
    waiting_opens_at timestamptz not null,
    last_entry_at timestamptz not null,
    duration_s int not null check (duration_s between 60 and 28800),
    ends_at timestamptz,
    grace_s int not null default 120 check (grace_s between 0 and 3600),
    spread_s int not null default 60 check (spread_s between 0 and 90),
    late_policy text not null default 'person' check (late_policy in ('count', 'person', 'refuse')),
    place text not null default 'home' check (place in ('home', 'hall')),
    state text not null default 'draft' check (state in ('draft', 'published', 'closed', 'archived')),
    help_name text not null default '',
    help_phone text not null default '',
    control_version int not null default 0,
    demo_speed real not null default 1,
    rehearsed_at timestamptz,
    published_at timestamptz,
    closed_at timestamptz,
    created_by int references staff (id),
    created_at timestamptz not null default now(),
    check (waiting_opens_at <= starts_at and starts_at < last_entry_at),
    check (ends_at is null or ends_at >= last_entry_at)
);
comment on column sitting.ends_at is 'A fixed end for all; null: each pupil has duration_s from the first release of his key.';
comment on column sitting.control_version is 'Newest version given to a control of this sitting; raised under the row''s lock, so versions rise in commit order.';
comment on column sitting.demo_speed is 'Clock factor of a sitting that the demo plays; 1 for every real one.';

create table sitting_region (
    sitting_id int not null references sitting (id),
    region_code text not null references region (code),
    primary key (sitting_id, region_code)
);

create table participant (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    school_id int not null references school (id),
    last_name text not null,
    first_name text not null,
    middle_name text not null default '',
    birth_date date not null,
    gender text check (gender in ('f', 'm')),
    grade smallint not null,
    class_letter text not null default '',
    room text not null default '',
    language text not null check (language in ('kk', 'ru', 'en')),
    extra_minutes smallint not null default 0 check (extra_minutes between 0 and 240),
    external_id text not null,
    code_hash bytea,
    code_version smallint not null default 0,
    birth_misses smallint not null default 0,
    locked_at timestamptz,
    created_at timestamptz not null default now(),
    unique (sitting_id, external_id)
);
comment on table participant is 'A pupil in one sitting. The attempt has the same id.';
comment on column participant.code_hash is 'Keyed hash of the printed code; the code itself is stored nowhere (SAFETY J3).';
create unique index participant_code on participant (code_hash) where code_hash is not null;
create index participant_school on participant (sitting_id, school_id);

grant select on test, form, form_section, form_pack, form_key, sitting, sitting_region to elumiti_engine;
grant select (id, sitting_id, school_id, first_name, birth_date, language, extra_minutes, code_hash, locked_at)
    on participant to elumiti_engine;
grant select on sitting, participant, form_pack to elumiti_flusher;
grant update (birth_misses, locked_at) on participant to elumiti_flusher;
grant select on test, form, form_section, form_item, form_media, form_pack, sitting, sitting_region, participant to elumiti_portal;
grant insert, update on test, form, form_section, form_item, form_media, form_pack, form_key, sitting, sitting_region, participant
    to elumiti_portal;
grant delete on sitting_region, participant to elumiti_portal;
grant select on test, form, form_section, form_item, form_pack, sitting, sitting_region, participant to elumiti_scoring;
grant select on keys.item_key to elumiti_scoring;
