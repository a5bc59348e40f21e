-- 0082_room_for_counts.sql
-- Why     Each picture raises its attempt's count; on pages filled to 70 % three of ten rows were written elsewhere, and two
--         entries of indexes with each. At 50 %, 99 of 100 stay (0.5 to 1 µs a picture of Postgres, and less to log).
-- Locks   watch_score: share update exclusive, for a moment.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader. Old pages fill as they are.
-- Order   any.
-- Back    alter table watch_score reset (fillfactor);

set local lock_timeout = '2s';

alter table watch_score set (fillfactor = 50);
