-- 0020_portal_first_rooms.sql
-- Why     What the portal's first rooms need: the roles' first permissions, a pupil found by half a name in two seconds,
--         an import that can be undone as a whole.
-- Locks   participant: access exclusive while two columns are computed (empty in every installation that runs this).
-- Time    milliseconds on an empty table; about 4 s for each million pupils.
-- Order   before the portal that reads the columns. Older code ignores them.
-- Back    drop the columns and the rows.
set local lock_timeout = '2s';

create extension if not exists pg_trgm;

alter table participant
    add column search_name text not null
        generated always as (lower(last_name || ' ' || first_name || ' ' || middle_name)) stored,
    add column sort_name text not null generated always as (kk(last_name || ' ' || first_name)) stored,
    add column import_job bigint references job (id);
comment on column participant.search_name is 'Half a name finds it: trigrams of the lower-case full name.';
comment on column participant.sort_name is 'Kazakh order of the name; always with id as the tie-breaker.';
comment on column participant.import_job is 'The import that brought this row, so that a whole import can be undone before the start.';
create index participant_search on participant using gin (search_name gin_trgm_ops);
create index participant_sort on participant (sitting_id, sort_name, id);
create index participant_import on participant (import_job) where import_job is not null;

-- The pupils of an import that is being read: COPY first, checked as a whole, then moved in one transaction.
create table participant_staging (
    job_id bigint not null references job (id),
    row_number int not null,
    school_id int not null,
    last_name text not null,
    first_name text not null,
    middle_name text not null,
    birth_date date not null,
    gender text,
    grade smallint not null,
    class_letter text not null,
    language text not null,
    extra_minutes smallint not null,
    external_id text not null,
    primary key (job_id, row_number)
);
comment on table participant_staging is 'Rows of a checked import that waits for its «take in»; emptied when it is taken or dropped.';
grant select, insert, delete on participant_staging to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from (values
    ('test-administrator', array[
        'sitting.view', 'sitting.edit', 'sitting.publish', 'sitting.close', 'participant.view', 'participant.import',
        'participant.lock', 'participant.export', 'slip.print', 'live.view', 'control.message', 'control.time',
        'control.end', 'act.decide', 'receipt.check', 'rescue.take', 'staff.view']),
    ('proctor', array[
        'sitting.view', 'participant.view', 'participant.lock', 'live.view', 'control.message', 'control.time',
        'receipt.check']),
    ('analyst', array['sitting.view', 'score.view', 'score.run', 'score.publish', 'score.export', 'act.decide']),
    ('super-admin', array[
        'sitting.view', 'sitting.edit', 'sitting.publish', 'sitting.close', 'participant.view', 'participant.import',
        'participant.lock', 'participant.export', 'slip.print', 'live.view', 'control.message', 'control.time',
        'control.end', 'act.decide', 'receipt.check', 'rescue.take', 'score.view', 'score.run', 'score.publish',
        'score.export', 'audit.view', 'staff.view', 'staff.edit', 'role.edit'])
) as given (role, permissions), unnest(permissions) as permission;
