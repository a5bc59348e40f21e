-- 0036_imports_of_persons_undone.sql
-- Why     An import of persons is taken out again, its pairs too; and the index of the search may be made anew: a body that
--         Postgres parses at once depended on it.
-- Locks   person_twin: access exclusive for the catalogue only.
-- Time    milliseconds.
-- Order   before the portal that undoes. Older code ignores it.
-- Back    revoke the right.
set local lock_timeout = '2s';

create or replace function settle_search() returns void
    language sql security definer set search_path = public, pg_temp
as $$ select gin_clean_pending_list('person_search') $$;

grant delete on person_twin to elumiti_portal;
