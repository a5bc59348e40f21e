-- 0006_roster_changes.sql
-- Why     Engine workers hold the codes in memory (DESIGN §2) and follow changes without reading 300 000 rows again;
--         a demo plays a finished sitting on a clock of its own (ANSWERS).
-- Locks   participant, sitting: access exclusive for the catalogue only.
-- Time    milliseconds before there are participants.
-- Order   before the engine that reads the columns.
-- Back    drop the trigger, then the columns.
alter table participant add column changed_in xid8 not null default pg_current_xact_id();
create index participant_changed on participant (changed_in);
comment on column participant.changed_in is
    'Transaction of the last change: who has seen all below a snapshot''s xmin asks for the rows from there on and misses none.';

create function participant_changed() returns trigger language plpgsql as
$$
begin
    new.changed_in := pg_current_xact_id();
    return new;
end
$$;
create trigger participant_changed before update on participant for each row execute function participant_changed();

alter table sitting add column demo_reference timestamptz;
comment on column sitting.demo_reference is
    'At demo_speed ≠ 1 the sitting''s clock shows reference + (real − reference) · speed; heeded only by a demo''s engine.';

grant select (changed_in) on participant to elumiti_engine;
grant execute on function participant_changed to elumiti_portal, elumiti_flusher;
