-- 0043_account_of_a_person.sql
-- Why     One person, one account, many projects and roles: a login knows which row of the registry is its holder, and who
--         registered by himself is told from staff that others made. A person reads his own row, whatever his roles.
-- Locks   staff, person: access exclusive for the catalogue; the new columns are null, the index is over a small table.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the policy, the function and the columns.
set local lock_timeout = '2s';

alter table staff
    add column person_id bigint references person (id),
    add column registered_at timestamptz;
comment on table staff is 'Every login of the portal: staff that others made, and people who registered by themselves.';
comment on column staff.person_id is 'Whose login it is in the registry; null: nobody said so yet.';
comment on column staff.registered_at is 'Registered by himself then; null: made by somebody of the staff.';
create unique index staff_person on staff (person_id) where person_id is not null;

-- Told by portal/core/scope.py like the territory: the person who acts. Nothing told is nobody.
create function scope_person() returns bigint
    language sql stable parallel safe
    return nullif(current_setting('elumiti.person', true), '')::bigint;
create policy own on person for select to elumiti_portal using (id = (select scope_person()));
