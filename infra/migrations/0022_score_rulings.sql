-- 0022_score_rulings.sql
-- Why     What two persons decide after a sitting lay in the command line's parameters alone: quota places, late answers,
--         exclusions, voided questions and corrected keys (SAFETY D2, J5). Scoring reads them for the next run.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   before the portal and the scoring worker that read them. Older code ignores them.
-- Back    drop the tables and the permission's rows.
set local lock_timeout = '2s';

create table quota_plan (
    sitting_id int primary key references sitting (id),
    places jsonb not null,
    tie_at_line text not null check (tie_at_line in ('all', 'none')),
    from_home boolean not null,
    reason text not null,
    asked_by int not null references staff (id),
    agreed_by int not null references staff (id),
    decided_at timestamptz not null default now(),
    check (asked_by <> agreed_by)
);
comment on column quota_plan.places is '{"region code": places}; what stood before is in the audit trail.';
comment on column quota_plan.from_home is 'Both persons were told that the list would come from a sitting at home, and agreed (SAFETY D2).';

create table waiting_decision (
    attempt_id bigint primary key references participant (id),
    sitting_id int not null references sitting (id),
    counts boolean not null,
    reason text not null,
    asked_by int not null references staff (id),
    agreed_by int not null references staff (id),
    decided_at timestamptz not null default now(),
    check (asked_by <> agreed_by)
);
comment on table waiting_decision is 'Whether late, undecided and after-finish answers of one attempt count; the last word stands.';
create index waiting_decision_sitting on waiting_decision (sitting_id);

create table exclusion (
    attempt_id bigint primary key references participant (id),
    sitting_id int not null references sitting (id),
    reason text not null check (reason in ('other-person', 'outside-help', 'saw-questions', 'not-entitled', 'own-wish', 'trial')),
    note text not null,
    excluded boolean not null,
    asked_by int not null references staff (id),
    agreed_by int not null references staff (id),
    decided_at timestamptz not null default now(),
    check (asked_by <> agreed_by)
);
comment on column exclusion.excluded is 'False once it was undone: the row stays, so that the page can say by whom.';
create index exclusion_sitting on exclusion (sitting_id);

create table item_ruling (
    sitting_id int not null references sitting (id),
    form_id int not null,
    code text not null,
    ruling text not null check (ruling in ('void', 'key', 'as-packed')),
    rule jsonb,
    reason text not null,
    asked_by int not null references staff (id),
    agreed_by int not null references staff (id),
    decided_at timestamptz not null default now(),
    primary key (sitting_id, form_id, code),
    foreign key (form_id, code) references form_item (form_id, code),
    check ((ruling = 'key') = (rule is not null)),
    check (asked_by <> agreed_by)
);
comment on table item_ruling is 'How a question of a finished form counts from the next run on. keys.item_key stays as it was packed.';

grant select, insert, update on quota_plan, waiting_decision, exclusion, item_ruling to elumiti_portal;
grant select on quota_plan, waiting_decision, exclusion, item_ruling to elumiti_scoring;
grant select (id, full_name) on staff to elumiti_scoring;

insert into role_permission (role, permission)
values ('analyst', 'score.decide'), ('super-admin', 'score.decide')
on conflict do nothing;
