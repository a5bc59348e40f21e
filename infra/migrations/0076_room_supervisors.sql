-- 0076_room_supervisors.sql
-- Why     A proctor watches children from the queue, without their names (SAFETY R4). What he could open by name belonged to
--         another person: who keeps order in a hall, locks and talks, reads out the room's code. That is a role of its own.
-- Locks   none on rows that anybody reads for long: a few rows of roles and their permissions.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   any: roles are data. Who supervises a hall with a proctor's grant needs the new role from here on.
-- Back    give the permissions to the proctor again and delete the role with its grants.
set local lock_timeout = '2s';

insert into role (code, kind, project, name_kk, name_ru, name_en, place, raised)
values ('room-supervisor', 'working', null, 'кабинет кезекшісі', 'дежурный по кабинету', 'room supervisor', 6, false);

with moved as (
    delete from role_permission
    where role = 'proctor' and permission in (
        'participant.view', 'participant.lock', 'live.view', 'control.message', 'control.time', 'receipt.check', 'room.code')
    returning permission, at_rest
)
insert into role_permission (role, permission, at_rest)
select 'room-supervisor', permission, at_rest from moved
union all
select 'room-supervisor', 'sitting.view', false;
