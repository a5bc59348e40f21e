-- 0027_answered_in_a_seal.sql
-- Why     A receipt tells the child how many questions have an answer. A worker that started later told the number of
--         events instead, and answers given on an earlier phone were not counted.
-- Locks   seal: access exclusive for the catalogue only; a nullable column rewrites nothing.
-- Time    milliseconds at any size; gives up after 2 s rather than queue behind a long reader.
-- Order   before the flusher that writes the column. Old code ignores it.
-- Back    leave the column.
set local lock_timeout = '2s';
alter table seal add column answered int;
comment on column seal.answered is 'Questions whose newest answer, over all devices, is not empty. Null: sealed by an earlier version.';
