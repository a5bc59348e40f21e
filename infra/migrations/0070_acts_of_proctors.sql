-- 0070_acts_of_proctors.sql
-- Why     A proctor warns and pauses a child in his hands (SPEC P3): which sentence or whose own words a child got, for a second
--         person to sample (SAFETY R4), and which pauses are still open, so that a forgotten one ends by rule.
-- Locks   control: share, for two indexes.
-- Time    the indexes read controls once: milliseconds to seconds; gives up after 2 s of waiting for the lock.
-- Order   before the portal that reads it. Older code ignores it.
-- Back    drop the table, the indexes and the permission's rows.
set local lock_timeout = '2s';

create table watch_act (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    kind text not null check (kind in ('warn', 'pause')),
    version int not null,
    sentence text not null default '',
    words text not null default '',
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    over_at timestamptz,
    sampled text check (sampled in ('fine', 'wrong')),
    sampled_by int references staff (id),
    sampled_at timestamptz,
    check ((sampled is null) = (sampled_by is null) and (sampled is null) = (sampled_at is null)),
    check (sampled_by <> made_by)
);
comment on table watch_act is 'What a proctor did to a child in his hands, beside the control that did it.';
comment on column watch_act.sentence is 'Code of a ready sentence (portal/features/proctoring/sentences.py); empty: the proctor''s own words.';
comment on column watch_act.over_at is 'When a pause ended: by a person, or by rule after ten minutes.';
comment on column watch_act.sampled is 'What a second person says of own words.';
create index watch_act_attempt on watch_act (attempt_id, id);
create index watch_act_open on watch_act (made_at) where kind = 'pause' and over_at is null;
create index watch_act_words on watch_act (sitting_id, id) where words <> '';

-- A wall asks for it every few seconds: whose clock stands still.
create index control_pauses on control (sitting_id, scope, scope_id, version) where kind in ('pause', 'resume', 'restart');
-- And a child's page what was ordered for it alone; time given back by rule is a row a child, and not asked for.
create index control_of_attempt on control (sitting_id, scope_id, version) where scope = 'attempt' and kind <> 'credit';

grant select, insert on watch_act to elumiti_portal;
grant update (over_at, sampled, sampled_by, sampled_at) on watch_act to elumiti_portal;

insert into role_permission (role, permission)
select role, 'watch.act' from unnest(array['proctor', 'test-administrator']) as role
on conflict do nothing;
