-- 0004_responses.sql
-- Why     The answer's way: streams, events, devices, controls, seals (DESIGN §1; docs/rules/saving.md).
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   after 0003.
-- Back    drop the tables.
create table stream_position (
    stream bigint generated always as identity primary key,
    id_ms bigint not null default 0,
    id_seq bigint not null default 0,
    opened_by text not null,
    opened_at timestamptz not null default now(),
    retired_at timestamptz,
    closed_at timestamptz
);
comment on table stream_position is 'A row a stream, made before its first write; (id_ms, id_seq) is the last entry that is in response_event.';
comment on column stream_position.retired_at is 'Its connection is gone: nothing more will be written.';
comment on column stream_position.closed_at is 'Drained after it was retired; the flusher reads it no more.';
create index stream_position_open on stream_position (stream) where closed_at is null;

create table response_event (
    sitting_id int not null,
    attempt_id bigint not null,
    device uuid not null,
    seq int not null,
    kind smallint not null,
    item int,
    value text,
    anchor_ms bigint,
    since_ms int,
    received_ms bigint not null,
    marks smallint not null default 0,
    primary key (sitting_id, attempt_id, device, seq)
) partition by list (sitting_id);
comment on table response_event is 'Every event a player sent, once, for ever: no role updates or deletes. Kinds and marks: engine/protocol.py.';
comment on column response_event.value is 'JSON exactly as the device wrote it: the finish hash is computed over it.';
comment on column response_event.anchor_ms is 'Newest signed server time the device had seen (Unix ms); null when its signature did not hold.';
comment on column response_event.since_ms is 'Monotonic milliseconds on the device since that time.';
comment on column response_event.received_ms is 'Server time of receipt (Unix ms).';
create table response_event_other partition of response_event default;

-- Partitions are made when a sitting is published. Owner's right, callable by the portal, for its name is built from an int.
create function make_sitting_partition(sitting int) returns void
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    execute format(
        'create table if not exists response_event_%s partition of response_event for values in (%s)
         with (autovacuum_vacuum_insert_scale_factor = 0.5)', sitting, sitting);
end
$$;
revoke all on function make_sitting_partition from public;
grant execute on function make_sitting_partition to elumiti_portal;

create table response_conflict (
    id bigint generated always as identity primary key,
    sitting_id int not null,
    attempt_id bigint not null,
    device uuid not null,
    seq int not null,
    kind smallint not null,
    item int,
    value text,
    anchor_ms bigint,
    since_ms int,
    received_ms bigint not null,
    marks smallint not null,
    found_at timestamptz not null default now(),
    -- The same conflicting event sent ten times is one row here too.
    unique nulls not distinct (sitting_id, attempt_id, device, seq, kind, item, value)
);
comment on table response_conflict is 'Same identity, other content: kept, counted, shown; nothing acknowledged is dropped (rule 3).';

create table dead_letter (
    id bigint generated always as identity primary key,
    stream bigint not null,
    id_ms bigint not null,
    id_seq bigint not null,
    attempt_id bigint,
    sqlstate text,
    reason text not null,
    payload bytea not null,
    at timestamptz not null default now()
);
comment on table dead_letter is 'What Postgres or the decoder could not take (rule 7). Any row here is an alarm.';

create table attempt (
    id bigint primary key,
    sitting_id int not null references sitting (id),
    signed_in_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    finish_device uuid,
    reopened_at timestamptz,
    constraint attempt_is_participant foreign key (id) references participant (id)
);
comment on table attempt is 'Made by the first sign-in. started_at: the first release of the key, for ever (rule 9).';
create index attempt_sitting on attempt (sitting_id);

create table attempt_device (
    attempt_id bigint not null,
    device uuid not null,
    epoch smallint not null,
    first_seen_ms bigint not null,
    agent text not null default '',
    primary key (attempt_id, device),
    unique (attempt_id, epoch)
);
comment on table attempt_device is 'Devices of an attempt in the order the server saw them; the highest epoch is the one that writes (rule 8).';
create index attempt_device_device on attempt_device (device);

create table attempt_pulse (
    attempt_id bigint primary key,
    sitting_id int not null,
    last_received_ms bigint not null,
    answered smallint not null default 0
) with (fillfactor = 50);
comment on table attempt_pulse is 'For the live view only: written in bulk every few seconds, may be behind, decides nothing.';
create index attempt_pulse_sitting on attempt_pulse (sitting_id);

create table seal (
    attempt_id bigint primary key,
    sitting_id int not null,
    device uuid not null,
    finish_seq int not null,
    digest bytea not null,
    code text not null unique,
    sealed_at timestamptz not null default now()
);
comment on table seal is 'A final receipt: Postgres held every seq 1…finish and the hash agreed (rule 5).';

create table control (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    scope text not null check (scope in ('sitting', 'region', 'school', 'attempt')),
    scope_id text not null,
    version int not null,
    kind text not null check (kind in ('message', 'erratum', 'extra', 'pause', 'resume', 'end', 'reopen')),
    body jsonb not null default '{}',
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    relayed_at timestamptz,
    unique (sitting_id, version)
);
comment on table control is 'What staff tell players; the value is absolute, so applying it twice or in any order is harmless (rule 10).';
create index control_unrelayed on control (id) where relayed_at is null;
create index control_sitting on control (sitting_id, version);

create table control_seen (
    attempt_id bigint not null,
    version int not null,
    seen_ms bigint not null,
    primary key (attempt_id, version)
);
comment on table control_seen is 'The player said that it applied this control: was my warning delivered, and when.';

create table rescue_file (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null,
    digest bytea not null unique,
    bytes bytea not null,
    taken_by int references staff (id),
    taken_at timestamptz not null default now(),
    report jsonb not null
);

grant select, insert on stream_position to elumiti_engine;
grant update (retired_at) on stream_position to elumiti_engine;
grant select on response_event, attempt, attempt_device, seal, control to elumiti_engine;
grant select, update on stream_position to elumiti_flusher;
grant select, insert on response_event, response_conflict, dead_letter, seal, attempt_device, control_seen to elumiti_flusher;
grant select, insert, update on attempt, attempt_pulse to elumiti_flusher;
grant select on control to elumiti_flusher;
grant update (relayed_at) on control to elumiti_flusher;
grant select on response_event, response_conflict, dead_letter, attempt, attempt_device, attempt_pulse, seal, control_seen,
    stream_position to elumiti_portal;
grant select, insert on control, rescue_file to elumiti_portal;
grant update (finished_at, finish_device, reopened_at) on attempt to elumiti_portal;
grant select on response_event, attempt, attempt_device, seal, control, response_conflict to elumiti_scoring;
