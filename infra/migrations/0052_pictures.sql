-- 0052_pictures.sql
-- Why     Proctoring (SPEC P1, P2): snapshots lie in segments of the object store, an index row each; every attempt has keys of
--         its own, wrapped by its sitting's, so that one child is erased alone (SAFETY R3); events beside them; a score with reasons.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   before the ingest, the engine and the portal that read them. Older code ignores them.
-- Back    drop the tables, the functions and the role's grants.
set local lock_timeout = '2s';

do $$
begin
    if not exists (select from pg_roles where rolname = 'elumiti_proctoring') then
        create role elumiti_proctoring nologin;
    end if;
end
$$;

create table sitting_watch (
    sitting_id int primary key references sitting (id),
    every_s smallint not null default 30 check (every_s between 5 and 300),
    most_bytes int not null default 12288 check (most_bytes between 4096 and 65536),
    identity boolean not null default true,
    screen boolean not null default false,
    keep_days smallint not null default 90 check (keep_days between 1 and 365),
    rules jsonb not null default '{}'
);
comment on table sitting_watch is 'That and how a sitting is proctored; without a row it is not, and the ingest takes no byte of it.';
comment on column sitting_watch.rules is 'Kind of event → weight and bounds, where the test differs from the house''s (proctoring/risk).';

create table picture_sitting_key (
    sitting_id int primary key references sitting (id),
    wrapped bytea not null,
    made_at timestamptz not null default now()
);
comment on table picture_sitting_key is 'The sitting''s key, wrapped by the key that only proctoring has. Deleted: no picture of the sitting can be read again.';
create table picture_key (
    id bytea primary key check (length(id) = 8),
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    wrapped bytea not null,
    made_at timestamptz not null default now()
);
comment on table picture_key is 'Keys of one attempt, wrapped by its sitting''s: one for each process that took pictures of it. Not in long backups; deleted, the attempt''s pictures are noise wherever they lie (SAFETY R3).';
create index picture_key_attempt on picture_key (attempt_id);

create table picture_segment (
    id uuid primary key,
    object_name text not null,
    size_bytes int not null,
    pictures int not null,
    stored_at timestamptz not null default now(),
    erased_at timestamptz
);
comment on table picture_segment is 'A file of some 8 MB in the object store. Its name and its rows are written once, however often it is sent.';

create table picture (
    sitting_id int not null,
    attempt_id bigint not null,
    seq int not null,
    kind text not null check (kind in ('snapshot', 'identity', 'screen')),
    taken_ms bigint not null,
    received_ms bigint not null,
    segment_id uuid not null,
    byte_offset int not null,
    byte_length int not null,
    key_id bytea not null,
    sealed_at timestamptz,
    checks jsonb
) partition by list (sitting_id);
comment on table picture is 'Where each picture lies: read back by one ranged GET.';
comment on column picture.seq is 'Given by the phone, rising within an attempt and device; with taken_ms it names a picture that was sent twice.';
comment on column picture.sealed_at is 'Nobody may look at it again but the child-safety officer (SAFETY R4).';
comment on column picture.checks is 'What the phone and the server saw: count of faces, light, sharpness. Numbers, never a trait (SAFETY D6).';

create table watch_event (
    sitting_id int not null,
    attempt_id bigint not null,
    seq int not null,
    kind text not null,
    at_ms bigint not null,
    received_ms bigint not null,
    data jsonb not null default '{}'
) partition by list (sitting_id);
comment on table watch_event is 'What happened at the candidate''s (SPEC P2): evidence for a person, never a verdict.';

create table watch_score (
    attempt_id bigint primary key,
    sitting_id int not null references sitting (id),
    score real not null,
    reasons jsonb not null,
    pictures int not null default 0,
    last_picture_ms bigint,
    last_event_ms bigint,
    changed_at timestamptz not null default now()
);
comment on column watch_score.reasons is '[{"kind", "times", "seconds", "weight"}]: how the score came to be, to be said in a sentence.';
create index watch_score_order on watch_score (sitting_id, score desc, attempt_id);

create function make_watch_partition(sitting int) returns void
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    perform pg_advisory_xact_lock(hashtext('watch_partition'), sitting);
    execute format('create table if not exists picture_%s partition of picture for values in (%s)', sitting, sitting);
    execute format('create index if not exists picture_%s_attempt on picture_%s (attempt_id, taken_ms, seq)', sitting, sitting);
    execute format('create table if not exists watch_event_%s partition of watch_event for values in (%s)', sitting, sitting);
    execute format('create index if not exists watch_event_%s_attempt on watch_event_%s (attempt_id, at_ms, seq)', sitting, sitting);
end
$$;
revoke all on function make_watch_partition from public;
grant execute on function make_watch_partition to elumiti_proctoring, elumiti_portal;

grant usage on schema public to elumiti_proctoring;
grant select on migration, sitting, sitting_watch, participant, control to elumiti_proctoring;
grant select, insert on picture_sitting_key, picture_key, picture_segment, picture, watch_event to elumiti_proctoring;
grant delete on picture_key, picture_sitting_key, picture, watch_event to elumiti_proctoring;
grant update (erased_at) on picture_segment to elumiti_proctoring;
grant update (checks, sealed_at) on picture to elumiti_proctoring;
grant select, insert, update, delete on watch_score to elumiti_proctoring;
grant select on sitting_watch to elumiti_engine, elumiti_release;
grant select, insert, update, delete on sitting_watch to elumiti_portal;
grant select on picture_segment, watch_score, watch_event to elumiti_portal;
-- The portal never holds a key: it asks proctoring for a picture, which logs the look.
grant select on picture to elumiti_portal;
