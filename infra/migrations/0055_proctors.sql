-- 0055_proctors.sql
-- Why     Proctors (SPEC P3, SAFETY R4): each child is in one proctor's hands at a time, every look is written down, a verdict
--         has a reason of the catalogue and, where it weighs, a second person who does not know the first.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the tables and the permissions' rows.
set local lock_timeout = '2s';

create table watch_hand (
    attempt_id bigint primary key,
    sitting_id int not null references sitting (id),
    staff_id int not null references staff (id),
    taken_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    fine_until timestamptz
);
comment on table watch_hand is 'Whose eyes a child is under. Who does not come back for two minutes gives his children back (the line dropped, the shift ended).';
comment on column watch_hand.fine_until is '«Seen, fine»: until then only a new incident brings the child forward again.';
create index watch_hand_staff on watch_hand (staff_id, sitting_id);

create table watch_look (
    id bigint generated always as identity primary key,
    staff_id int not null references staff (id),
    attempt_id bigint not null,
    sitting_id int not null,
    seq int not null,
    at timestamptz not null default now(),
    reason text not null default ''
);
comment on table watch_look is 'Every look at a picture. Rows are only added.';
create index watch_look_attempt on watch_look (attempt_id, id);
create index watch_look_staff on watch_look (staff_id, at);

create table watch_verdict (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    kind text not null check (kind in ('fine', 'unclear', 'breach')),
    reason text not null,
    words text not null default '',
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    unique (attempt_id, made_by)
);
comment on table watch_verdict is 'What a person says of an attempt, one a person. Two that do not agree wait for a third; a machine says nothing here.';
create index watch_verdict_sitting on watch_verdict (sitting_id, made_at);

grant select, insert, update, delete on watch_hand to elumiti_portal;
grant select, insert on watch_look, watch_verdict to elumiti_portal;
grant select on sitting_watch to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from (values
    ('proctor', array['watch.view', 'watch.judge']),
    ('test-administrator', array['watch.view', 'watch.judge', 'watch.review']),
    ('quality-manager', array['watch.view', 'watch.review'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;
