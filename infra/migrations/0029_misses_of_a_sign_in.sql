-- 0029_misses_of_a_sign_in.sql
-- Why     Wrong passwords from anywhere kept a login's owner out; they now count by login and address (SAFETY P3).
-- Locks   none: a new table only; its foreign key takes share row exclusive on staff for the catalogue.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that counts so. Older code leaves the table alone and rests the whole login.
-- Back    drop the table; staff.failed_sign_ins and staff.locked_until serve the older code as before.
set local lock_timeout = '2s';

create table sign_in_address (
    staff_id int not null references staff (id),
    address text not null,
    misses int not null default 0,
    locked_until timestamptz,
    fitted_at timestamptz,
    seen_at timestamptz not null default now(),
    primary key (staff_id, address)
);
comment on table sign_in_address is 'Where sign-ins of a login came from, and how many of them missed; forgotten after a month.';
comment on column sign_in_address.address is 'IPv4, or the first 64 bits of IPv6: one subscriber has them all.';
comment on column sign_in_address.fitted_at is 'The newest right password from here: misses from elsewhere do not rest the login here.';
comment on column staff.failed_sign_ins is 'Misses from addresses where no password fitted lately, since the login rested last.';
comment on column staff.locked_until is 'Until then the login rests for addresses where no password fitted lately; a minute at most.';

grant select, insert, update, delete on sign_in_address to elumiti_portal;
