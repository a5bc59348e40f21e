-- 0009_audit_in_line.sql
-- Why     A record's number was drawn before the chain's lock was taken: of two acts at once the one with the higher
--         number could be chained first, and the check called an honest trail broken.
-- Locks   none beyond the function's row in the catalogue.
-- Time    milliseconds.
-- Order   any time; numbers are without gaps from here on, so that one left out shows too.
-- Back    the function of 0002.
create or replace function audit_chain() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    select last_id + 1, hash into new.id, new.previous_hash from audit_head where only_row for update;
    new.hash := sha256(new.previous_hash || convert_to(jsonb_build_array(
        new.id, extract(epoch from new.at), new.staff_id, new.acting_as, new.address, new.act,
        new.object_kind, new.object_id, new.before, new.after, new.reason)::text, 'UTF8'));
    update audit_head set last_id = new.id, hash = new.hash where only_row;
    return new;
end
$$;
update audit_head set last_id = greatest(last_id, (select coalesce(max(id), 0) from audit)) where only_row;
