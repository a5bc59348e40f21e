-- 0023_waivers.sql
-- Why     In an outage a duty pair with hardware keys may waive the second person for 30 minutes: shown to all, reviewed
--         afterwards by two others (SAFETY J5).
-- Locks   pending_act: access exclusive for the catalogue; the check is NOT VALID, so nothing is scanned.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that writes waived acts. Older code writes none.
-- Back    drop the tables, the column, the permission's rows; the check of 0002 holds for rows without a waiver.
set local lock_timeout = '2s';

create table staff_key (
    id int generated always as identity primary key,
    staff_id int not null references staff (id),
    credential_id bytea not null unique,
    public_key bytea not null,
    sign_count bigint not null,
    name text not null,
    made_at timestamptz not null default now(),
    used_at timestamptz
);
comment on table staff_key is 'Security keys (WebAuthn) of staff; public halves only.';
create index staff_key_staff on staff_key (staff_id);

create table key_challenge (
    challenge bytea primary key,
    staff_id int not null references staff (id),
    purpose text not null check (purpose in ('register', 'confirm')),
    ends_at timestamptz not null
);
comment on table key_challenge is 'What a key has to sign now; used once, gone after minutes.';
create index key_challenge_staff on key_challenge (staff_id);

create table waiver (
    id bigint generated always as identity primary key,
    project text not null,
    reason text not null,
    asked_by int not null references staff (id),
    agreed_by int not null references staff (id),
    began_at timestamptz not null default now(),
    ends_at timestamptz not null default now() + interval '30 minutes',
    ended_by int references staff (id),
    check (asked_by <> agreed_by),
    check (ends_at <= began_at + interval '30 minutes')
);
comment on table waiver is 'For this time one person may do what needs two; declared by two, each with a hardware key.';
comment on column waiver.ended_by is 'Who ended it before its time; ends_at is then that moment.';
create index waiver_end on waiver (project, ends_at);

alter table pending_act
    add column waiver_id bigint references waiver (id),
    drop constraint pending_act_check,
    add constraint pending_act_two_persons
        check (decided_by is null or decided_by <> made_by or state = 'withdrawn' or waiver_id is not null) not valid;
comment on column pending_act.waiver_id is 'Done by one person under this waiver; null for every act that two agreed to.';
create index pending_act_waiver on pending_act (waiver_id) where waiver_id is not null;

create table waived_review (
    act_id bigint not null references pending_act (id),
    reviewed_by int not null references staff (id),
    reviewed_at timestamptz not null default now(),
    note text not null default '',
    primary key (act_id, reviewed_by)
);
comment on table waived_review is 'Two persons, not of the pair and not who did it, look at every act under a waiver.';

grant select, insert on staff_key, key_challenge, waiver, waived_review to elumiti_portal;
grant update (sign_count, used_at), delete on staff_key to elumiti_portal;
grant delete on key_challenge to elumiti_portal;
grant update (ends_at, ended_by) on waiver to elumiti_portal;

insert into role_permission (role, permission)
values ('test-administrator', 'act.waive'), ('super-admin', 'act.waive')
on conflict do nothing;
