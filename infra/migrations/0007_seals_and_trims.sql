-- 0007_seals_and_trims.sql
-- Why     A hand-in may be taken back and made again: each finish has its own seal, the newest stands. What is trimmed
--         from a stream is written down before (rule 2).
-- Locks   seal, stream_position: access exclusive for the catalogue only.
-- Time    milliseconds.
-- Order   before the flusher that writes them.
-- Back    leave them.
alter table seal drop constraint seal_pkey, drop constraint seal_code_key;
alter table seal add primary key (attempt_id, device, finish_seq);
create index seal_code on seal (code);
create index seal_sitting on seal (sitting_id);
alter table stream_position add column trimmed_ms bigint not null default 0;
comment on column stream_position.trimmed_ms is 'Entries below this time may have been trimmed; written before the trimming.';
