-- 0030_limits_of_one_pupil.sql
-- Why     Who goes beyond the bounds of one pupil hears 429, and the proctor has to see it (SAFETY M2).
-- Locks   none: a new table only.
-- Time    milliseconds.
-- Order   before the flusher that writes it, and that before the engines, whose records an older flusher can't read.
-- Back    drop the table.
set local lock_timeout = '2s';

create table attempt_limit (
    attempt_id bigint not null,
    name text not null check (name in ('events', 'bytes', 'reports', 're-entries', 'saves', 'poison')),
    first_ms bigint not null,
    newest_ms bigint not null,
    times int not null check (times > 0),
    primary key (attempt_id, name)
);
comment on table attempt_limit is
    'Bounds of one pupil that an attempt crossed, and how often it was refused for it; events, bytes and poison stay full.';
comment on column attempt_limit.name is 'As engine.protocol.OverLimit.';

grant select, insert, update on attempt_limit to elumiti_flusher;
grant select on attempt_limit to elumiti_engine, elumiti_portal;
