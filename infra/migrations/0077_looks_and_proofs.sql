-- 0077_looks_and_proofs.sql
-- Why     A live look ends when the child leaves its proctor's hands; what proves an erasing is written by proctoring alone;
--         the ingest asks each 2 s which attempts another device has taken over, whose pictures it takes no more; nobody
--         watches or judges his own child or pupil.
-- Locks   attempt_device: share, for the index; else none on rows.
-- Time    the index reads devices once: milliseconds to seconds; gives up after 2 s of waiting for the lock.
-- Order   before the forwarder that asks whose hands a child is in. The portal that is there writes these columns alone.
-- Back    drop the index and the function; revoke select on watch_hand from elumiti_proctoring; grant insert on picture_proof and
--         picture_erasure to elumiti_portal.
set local lock_timeout = '2s';

grant select (attempt_id, staff_id) on watch_hand to elumiti_proctoring;

-- The portal asks; whether it was done, and holds, it has no way to say.
revoke insert on picture_proof, picture_erasure from elumiti_portal;
grant insert (sitting_id, attempt_id, asked_by) on picture_proof to elumiti_portal;
grant insert (sitting_id, attempt_id, reason, asked_by) on picture_erasure to elumiti_portal;

create index attempt_device_taken_over on attempt_device (attempt_id, epoch) where epoch > 1;

-- Who asks learns numbers of persons and no more; row security would hide ties beyond his territory.
create function persons_of_ones_own(staff int) returns setof bigint
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select s.person_id from staff s where s.id = persons_of_ones_own.staff and s.person_id is not null
    union
    select t.attached_id
    from staff s
    join person_tie t on t.holder_id = s.person_id
    where s.id = persons_of_ones_own.staff;
end;
comment on function persons_of_ones_own is 'Oneself, one''s children and pupils, of before too: whom one neither watches nor judges.';
revoke all on function persons_of_ones_own from public;
grant execute on function persons_of_ones_own to elumiti_portal;
