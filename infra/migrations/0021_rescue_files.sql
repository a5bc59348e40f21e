-- 0021_rescue_files.sql
-- Why     Two persons take in a rescue file: its events are inserted, marked, never changed (SAFETY J5, J8).
-- Locks   none: grants only.
-- Time    milliseconds.
-- Order   before the portal that takes files in.
-- Back    revoke.
grant insert on response_event, response_conflict, attempt_device to elumiti_portal;
