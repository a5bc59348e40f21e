-- 0078_what_a_machine_shut.sql
-- Why     A system opened logins again that a person had shut, and a deletion counted as its own making, so that its measure
--         never came (SAFETY P4). A link to a consent had no bound of its own for the codes that it sends (P6).
-- Locks   consent_ask for a moment: one column with a constant default.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   any: an older portal writes neither.
-- Back    drop the table and the column.
set local lock_timeout = '2s';

create table machine_shut (
    staff_id int primary key references staff (id),
    client_id int not null references machine_client (id),
    shut_at timestamptz not null
);
comment on table machine_shut is 'Logins that a machine shut: it may open them again as long as staff.disabled_at is still this moment.';
grant select, insert, update on machine_shut to elumiti_portal;

-- Logins that machines had shut until now: the trail does not say so in a form to ask; a person opens these few.
update machine_user m
set made_at = '-infinity'
from staff s
where s.id = m.staff_id and m.made_at > s.created_at + interval '1 minute';

alter table consent_ask add column codes int not null default 0;
comment on column consent_ask.codes is 'How many codes were asked for with this link.';
