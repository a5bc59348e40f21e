-- 0028_stop_and_restart.sql
-- Why     A region is stopped and goes on, the same day or another, on the reserve form (SAFETY D1).
-- Locks   attempt, control: access exclusive for the catalogue only; the check is not validated against old rows.
-- Time    milliseconds at any size; gives up after 2 s rather than queue behind a long reader.
-- Order   before the engine and the portal that know the kinds. Older code ignores the column.
-- Back    leave the column; take the kinds out of the check once no row has them.
set local lock_timeout = '2s';
alter table attempt add column restarted_at timestamptz;
comment on column attempt.restarted_at is 'First release of the reserve form''s key after a restart; null: never restarted.';
alter table control drop constraint control_kind_check;
alter table control add constraint control_kind_check check (
    kind in ('message', 'erratum', 'extra', 'pause', 'resume', 'end', 'reopen', 'stop', 'restart')
) not valid;
