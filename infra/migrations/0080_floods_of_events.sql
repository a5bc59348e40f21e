-- 0080_floods_of_events.sql
-- Why     Nothing bounded how many events one attempt may have: a phone in hostile hands filled the index for hours. Beyond a
--         bound they are counted and not put down (proctoring/bounds.py).
-- Locks   none on rows: a new table.
-- Time    milliseconds.
-- Order   before the ingest that counts and the portal that shows it. Older code ignores it.
-- Back    drop the table.
set local lock_timeout = '2s';

create table watch_flood (
    attempt_id bigint primary key,
    sitting_id int not null references sitting (id),
    left_out bigint not null check (left_out > 0),
    since timestamptz not null default now()
);
comment on table watch_flood is 'Attempts that sent more events than are put down of one; what is left out is counted, with what was sent again.';
create index watch_flood_sitting on watch_flood (sitting_id);
grant select, insert, update, delete on watch_flood to elumiti_proctoring;
grant select on watch_flood to elumiti_portal;
