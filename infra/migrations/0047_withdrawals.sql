-- 0047_withdrawals.sql
-- Why     A withdrawn consent stops at once what it fed and erases it within 15 days, unless an appeal or law holds it
--         (SAFETY P6); a consent may come by a signed link, and goes along when two rows become one person.
-- Locks   consent, post, person: access exclusive for the catalogue; the checks scan consent (new) and person once.
-- Time    milliseconds; the check of person some seconds at five million rows. Gives up after 2 s of waiting for the lock.
-- Order   before the portal that writes them. Older code reads on: an erased person is none of its statuses.
-- Back    drop the table; leave the columns.
set local lock_timeout = '2s';

alter table consent
    alter column recorded_by drop not null,
    add column child_agreed boolean not null default false,
    drop constraint consent_check1,
    add constraint consent_withdrawn_by check (withdrawn_by is null or withdrawn_at is not null);
comment on column consent.recorded_by is 'Who of the staff wrote it down; null: it came by a signed link or from the person himself.';
comment on column consent.withdrawn_by is 'Null: by a signed link.';
comment on column consent.child_agreed is 'The child said yes too, asked apart in plain words.';
grant update (person_id) on consent to elumiti_portal;

alter table post add column person_id bigint references person (id);
comment on column post.person_id is 'To a child or about it to a parent: goes out only while the consent «contact» holds.';
create index post_person on post (person_id) where person_id is not null;

alter table person drop constraint person_status_check;
alter table person add constraint person_status_check check (status in ('active', 'archived', 'merged', 'erased'));
comment on column person.status is 'erased: all fields are emptied; the row stays as a number, so that the audit trail names something.';

create table erasure (
    id bigint generated always as identity primary key,
    person_id bigint not null references person (id),
    purpose text not null
        check (purpose in ('registry', 'sitting', 'camera', 'talents', 'contact', 'publication')),
    asked_at timestamptz not null default now(),
    due_at timestamptz not null,
    held_as text check (held_as in ('appeal', 'law')),
    held_until date,
    held_reason text not null default '',
    held_by int references staff (id),
    done_at timestamptz,
    outcome text check (outcome in ('erased', 'renewed')),
    report jsonb not null default '[]',
    check (due_at <= asked_at + interval '15 days'),
    check (num_nonnulls(held_as, held_until, held_by) in (0, 3)),
    check ((done_at is null) = (outcome is null))
);
comment on table erasure is 'What a withdrawal fed and is to be erased: when, what holds it, and what was done (SAFETY P6).';
comment on column erasure.outcome is 'renewed: the consent was given again before, so nothing was erased.';
create unique index erasure_open on erasure (person_id, purpose) where done_at is null;
create index erasure_due on erasure (due_at, id) where done_at is null;
alter table erasure enable row level security;
create policy territory on erasure to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));

grant select, insert, update on erasure to elumiti_portal;
-- What an erasure takes: rows of the talents, and pairs of twins that name the person.
grant delete on talent, person_twin to elumiti_portal;

-- Asked also where no territory is told: by the outbox, by the ingest of snapshots. It says yes or no and nothing else.
create or replace function consent_holds(p_person bigint, p_purpose text) returns boolean
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select exists (
        select 1 from consent c
        where c.person_id = p_person and c.purpose = p_purpose and c.withdrawn_at is null
            and (c.ends_on is null or c.ends_on >= (now() at time zone 'Asia/Almaty')::date));
end;
revoke execute on function consent_holds from public;
grant execute on function consent_holds to elumiti_portal;
