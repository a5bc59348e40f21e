-- 0074_proctoring_afterwards.sql
-- Why     After the sitting (SPEC P4; SAFETY R3, R4): pictures that should not be seen are sealed by one tap and decided by the
--         child-safety officer; a verdict opens a case that holds its own pictures; rulings, appeals, a sample, proofs of erasing.
-- Locks   none on rows: new objects, triggers on watch_verdict, sitting_watch (share row exclusive for the catalogue).
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal and the process of proctoring that read them. Older code ignores them.
-- Back    drop the triggers, the functions, the tables, the role and its permissions' rows.
set local lock_timeout = '2s';

create table sitting_review (
    sitting_id int primary key references sitting (id) on delete cascade,
    sample_percent real not null default 2 check (sample_percent between 0 and 100),
    appeal_days smallint not null default 10 check (appeal_days between 1 and 90),
    seed text not null default gen_random_uuid()::text
);
comment on table sitting_review is 'How a proctored sitting is reviewed: each has a row from the moment it is proctored.';
comment on column sitting_review.seed is 'Who is in the sample follows from it and the attempt alone: it can be drawn again, and the score has no part in it.';

insert into sitting_review (sitting_id) select sitting_id from sitting_watch;
create function sitting_is_watched() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    insert into sitting_review (sitting_id) values (new.sitting_id) on conflict do nothing;
    return null;
end
$$;
comment on function sitting_is_watched is 'Draws the seed of the sample before anybody can know who will be proctored.';
revoke all on function sitting_is_watched from public;
create trigger sitting_is_watched after insert on sitting_watch for each row execute function sitting_is_watched();

create table picture_seal (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    attempt_id bigint not null,
    seq int not null,
    taken_ms bigint not null,
    sealed_by int not null references staff (id),
    sealed_at timestamptz not null default now(),
    state text not null default 'open' check (state in ('open', 'stays', 'erase', 'unsealed')),
    decided_by int references staff (id),
    decided_at timestamptz,
    words text not null default '',
    erased_at timestamptz
);
comment on table picture_seal is 'Pictures that should not be seen (SAFETY R4): who sealed them, and what the child-safety officer decided.';
comment on column picture_seal.erased_at is 'The bytes of this picture are zeros in the store.';
create unique index picture_seal_of on picture_seal (attempt_id, seq, taken_ms) where state <> 'unsealed';
create index picture_seal_to_erase on picture_seal (id) where state = 'erase' and erased_at is null;

create table picture_seal_look (
    id bigint generated always as identity primary key,
    seal_id bigint not null references picture_seal (id),
    staff_id int not null references staff (id),
    reason text not null check (reason <> ''),
    at timestamptz not null default now()
);
comment on table picture_seal_look is 'The officer''s looks at sealed pictures, with a reason. Rows are only added; proctoring shows the picture for one of them, for minutes.';

create table watch_case (
    attempt_id bigint primary key,
    sitting_id int not null references sitting (id),
    why text not null check (why in ('breach', 'unclear', 'opened')),
    opened_by int not null references staff (id),
    opened_at timestamptz not null default now()
);
comment on table watch_case is 'An attempt that somebody found a breach or something unclear in. It is settled when there is a ruling.';
create index watch_case_sitting on watch_case (sitting_id);

create table watch_appeal (
    id bigint generated always as identity primary key,
    attempt_id bigint not null references watch_case (attempt_id),
    sitting_id int not null references sitting (id),
    channel text not null check (channel in ('phone', 'paper', 'visit')),
    told_by text not null,
    words text not null,
    language text not null,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    state text not null default 'open' check (state in ('open', 'upheld', 'rejected')),
    decided_by int references staff (id),
    decided_at timestamptz,
    reason text not null default '',
    check ((state = 'open') = (decided_at is null))
);
create unique index watch_appeal_open on watch_appeal (attempt_id) where state = 'open';
create index watch_appeal_sitting on watch_appeal (sitting_id);

create table watch_ruling (
    id bigint generated always as identity primary key,
    attempt_id bigint not null references watch_case (attempt_id),
    sitting_id int not null references sitting (id),
    kind text not null check (kind in ('fine', 'unclear', 'breach')),
    appeal_id bigint references watch_appeal (id),
    made_at timestamptz not null default now()
);
comment on table watch_ruling is 'What holds of a case: the newest row. Two verdicts that agree make the first; an appeal adds one, nothing is overwritten.';
create index watch_ruling_attempt on watch_ruling (attempt_id, id);

create table watch_case_note (
    id bigint generated always as identity primary key,
    attempt_id bigint not null references watch_case (attempt_id),
    words text not null check (words <> ''),
    made_by int not null references staff (id),
    made_at timestamptz not null default now()
);
create index watch_case_note_attempt on watch_case_note (attempt_id, id);

create table watch_evidence (
    attempt_id bigint not null references watch_case (attempt_id),
    seq int not null,
    taken_ms bigint not null,
    chosen_by int not null references staff (id),
    chosen_at timestamptz not null default now(),
    primary key (attempt_id, seq, taken_ms)
);
comment on table watch_evidence is 'Pictures that a person chose for the case and its paper.';

create table watch_review_hand (
    attempt_id bigint primary key,
    sitting_id int not null references sitting (id),
    staff_id int not null references staff (id),
    taken_at timestamptz not null default now()
);
comment on table watch_review_hand is 'Whose second opinion an attempt waits for: nobody else is given it for half an hour.';
create index watch_review_hand_staff on watch_review_hand (staff_id);

create table watch_opening (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    staff_id int not null references staff (id),
    reason text not null check (reason <> ''),
    at timestamptz not null default now()
);
comment on table watch_opening is 'A child opened beyond the queue, with a reason (SAFETY R4). Rows are only added; one opens for half an hour.';
create index watch_opening_of on watch_opening (attempt_id, staff_id, at);

create table picture_proof (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    attempt_id bigint,
    asked_by int references staff (id),
    asked_at timestamptz not null default now(),
    checked_at timestamptz,
    holds boolean,
    report jsonb not null default '{}'
);
comment on table picture_proof is 'That just those bytes are gone: keys and rows counted, the store asked, other children''s pictures read. Asked for by a row, answered by proctoring.';
create index picture_proof_waiting on picture_proof (id) where checked_at is null;
create index picture_proof_sitting on picture_proof (sitting_id, id);

create function open_watch_case(attempt bigint, sitting int, reason text, staff int) returns void
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    insert into watch_case (attempt_id, sitting_id, why, opened_by) values (attempt, sitting, reason, staff)
    on conflict (attempt_id) do nothing;
    if found then
        insert into picture_hold (attempt_id, sitting_id, reason, held_by) values (attempt, sitting, 'case', staff::text);
    end if;
end
$$;

create function watch_verdict_said() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
declare
    agreed text;
begin
    if new.kind <> 'fine' then
        perform open_watch_case(new.attempt_id, new.sitting_id, new.kind, new.made_by);
    end if;
    -- In line: of two who speak at the same moment the second sees the first.
    perform from watch_case where attempt_id = new.attempt_id for update;
    if found and not exists (select from watch_ruling where attempt_id = new.attempt_id) then
        select kind into agreed from watch_verdict where attempt_id = new.attempt_id group by kind having count(*) >= 2;
        if found then
            insert into watch_ruling (attempt_id, sitting_id, kind) values (new.attempt_id, new.sitting_id, agreed);
            if agreed <> 'breach' then
                update picture_hold set released_at = now()
                where attempt_id = new.attempt_id and reason = 'case' and released_at is null;
            end if;
        end if;
    end if;
    return null;
end
$$;
comment on function watch_verdict_said is 'A breach or something unclear opens a case and holds its pictures, whoever writes the verdict; two who agree settle it.';
revoke all on function open_watch_case, watch_verdict_said from public;
create trigger watch_verdict_said after insert on watch_verdict for each row execute function watch_verdict_said();

grant select, insert, update on sitting_review, picture_seal, watch_appeal to elumiti_portal;
grant select, insert on picture_seal_look, watch_case, watch_ruling, watch_case_note, watch_opening, picture_proof to elumiti_portal;
grant select, insert, delete on watch_evidence to elumiti_portal;
grant select, insert, update, delete on watch_review_hand to elumiti_portal;
grant execute on function open_watch_case to elumiti_portal;
grant update (sealed_at) on picture to elumiti_portal;
grant select on picture_seal, picture_seal_look to elumiti_proctoring;
grant update (erased_at) on picture_seal to elumiti_proctoring;
grant select, insert on picture_proof to elumiti_proctoring;
grant update (checked_at, holds, report) on picture_proof to elumiti_proctoring;
-- `elumiti proctoring erase` is an act like others.
grant insert on audit to elumiti_proctoring;

insert into role (code, kind, project, name_kk, name_ru, name_en, place, raised) values
    ('child-safety-officer', 'working', null, 'бала қауіпсіздігі маманы', 'специалист по безопасности детей', 'child-safety officer', 5, false);
insert into role_permission (role, permission)
select role, permission
from (values
    ('child-safety-officer', array['watch.safety', 'watch.erase', 'act.decide']),
    ('test-administrator', array['watch.appeal', 'watch.erase']),
    ('quality-manager', array['watch.judge', 'watch.appeal', 'act.decide'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;
