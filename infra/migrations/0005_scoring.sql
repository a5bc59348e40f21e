-- 0005_scoring.sql
-- Why     Runs of scoring, versioned and reproducible (SPEC T3; DESIGN §4). Their rows lie as Parquet in the object store.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   after 0004.
-- Back    drop the table.
create table score_run (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    version int not null,
    parameters jsonb not null,
    snapshot_hash text not null,
    result_hash text not null,
    code_version text not null,
    summary jsonb not null,
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    published_at timestamptz,
    unique (sitting_id, version)
);
comment on table score_run is 'Never updated but for publication; a corrected key makes a new version (SAFETY J5).';
grant select, insert on score_run to elumiti_scoring;
grant select on score_run to elumiti_portal;
grant update (published_at) on score_run to elumiti_portal;
