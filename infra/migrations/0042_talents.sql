-- 0042_talents.sql
-- Why     Talents (SPEC R2): filled by rules over published results, reached by named specialists alone, each reach with its
--         reason; and consent as a record, purposes apart (SAFETY P6), for nobody is shown in the section without one.
-- Locks   none: new objects only.
-- Time    milliseconds.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the tables, the functions and the permissions' rows.
set local lock_timeout = '2s';

create table consent (
    id bigint generated always as identity primary key,
    person_id bigint not null references person (id),
    purpose text not null
        check (purpose in ('registry', 'sitting', 'camera', 'talents', 'contact', 'publication')),
    given_by text not null check (given_by <> ''),
    relation text not null check (relation in ('mother', 'father', 'guardian', 'self')),
    text_version text not null check (text_version <> ''),
    language text not null check (language in ('kk', 'ru', 'en')),
    channel text not null check (channel in ('paper', 'sms', 'egov')),
    third_parties text not null default '',
    given_on date not null,
    ends_on date,
    recorded_at timestamptz not null default now(),
    recorded_by int not null references staff (id),
    withdrawn_at timestamptz,
    withdrawn_by int references staff (id),
    withdrawn_note text not null default '',
    check (ends_on is null or ends_on >= given_on),
    check ((withdrawn_at is null) = (withdrawn_by is null))
);
comment on table consent is 'Who agreed to what about a person, by which text and on which way (SAFETY P6). A row is never changed but for its withdrawal.';
comment on column consent.ends_on is 'The last day it holds; null: until it is withdrawn.';
comment on column consent.given_by is 'The legal representative''s name, or the person''s own when of age.';
create index consent_person on consent (person_id, purpose, id);

-- Days are Astana's, as everywhere.
create function consent_holds(p_person bigint, p_purpose text) returns boolean
    language sql stable parallel safe
    return exists (
        select 1 from consent c
        where c.person_id = p_person and c.purpose = p_purpose and c.withdrawn_at is null
            and (c.ends_on is null or c.ends_on >= (now() at time zone 'Asia/Almaty')::date));

create table talent_rule (
    id int generated always as identity primary key,
    project text not null references project (code),
    kind text not null check (kind in ('top', 'often')),
    title jsonb not null,
    sitting_id int references sitting (id),
    share numeric check (share > 0 and share <= 50),
    per text check (per in ('region', 'country')),
    percentile numeric check (percentile >= 50 and percentile < 100),
    times int check (times between 1 and 20),
    state text not null default 'draft' check (state in ('draft', 'on', 'off')),
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    agreed_by int references staff (id),
    switched_at timestamptz,
    check (state <> 'on' or (agreed_by is not null and agreed_by <> made_by)),
    check (case kind
        when 'top' then num_nonnulls(share, per) = 2 and num_nonnulls(percentile, times) = 0
        else num_nonnulls(percentile, times) = 2 and num_nonnulls(share, per, sitting_id) = 0 end)
);
comment on table talent_rule is 'Which results bring a person into the talents. Its figures never change: another figure is another rule.';
comment on column talent_rule.kind is 'top: the best share % of a published run, by region or country; often: at least so many published runs at or above a percentile.';
comment on column talent_rule.sitting_id is 'Of a rule «top»: this sitting alone; null: each sitting of the project.';
comment on column talent_rule.agreed_by is 'The second person, who put it in force.';

create table talent (
    id bigint generated always as identity primary key,
    person_id bigint not null references person (id),
    rule_id int not null references talent_rule (id),
    run_id bigint not null references score_run (id),
    reason jsonb not null,
    since timestamptz not null,
    made_at timestamptz not null default now(),
    left_at timestamptz,
    left_why text check (left_why in ('result', 'rule', 'consent', 'renewed')),
    check ((left_at is null) = (left_why is null))
);
comment on table talent is 'A person in the talents by a rule, and when and why he left again: rows are closed, never changed otherwise.';
comment on column talent.run_id is 'The run that put him there; of a rule «often» the newest of those that did.';
comment on column talent.reason is 'The values that met the rule: ranks, percentiles, sittings and runs.';
comment on column talent.left_why is 'result: a newer run or a voided result; rule: switched off; consent: withdrawn; renewed: the next row goes on with newer values.';
create unique index talent_now on talent (person_id, rule_id) where left_at is null;
create index talent_person on talent (person_id, id);
create index talent_rule_now on talent (rule_id) where left_at is null;

create function talent_consent_withdrawn() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    -- In turn with a weighing, which takes the same lock: it brings nobody in whose withdrawal is under way.
    perform pg_advisory_xact_lock(hashtext('talent'));
    if not consent_holds(new.person_id, 'talents') then
        update talent set left_at = now(), left_why = 'consent' where person_id = new.person_id and left_at is null;
    end if;
    return null;
end
$$;
comment on function talent_consent_withdrawn is 'Withdrawal stops processing at once (SAFETY P6), whoever writes it.';
create trigger talent_consent_withdrawn after update of withdrawn_at on consent
    for each row when (new.purpose = 'talents' and new.withdrawn_at is not null)
    execute function talent_consent_withdrawn();

create table talent_unmatched (
    participant_id bigint primary key,
    rule_id int not null references talent_rule (id),
    sitting_id int not null references sitting (id),
    region_code text not null references region (code),
    school_id int not null references school (id),
    why text not null check (why in ('none', 'several')),
    found_at timestamptz not null default now(),
    person_id bigint references person (id),
    decided_by int references staff (id),
    decided_at timestamptz,
    reason text not null default '',
    check ((decided_at is null) = (decided_by is null)),
    check (person_id is null or decided_at is not null)
);
comment on table talent_unmatched is 'Results that meet a rule and fit nobody or several of the registry: a person decides who is meant; decided without a person: nobody.';
create index talent_unmatched_open on talent_unmatched (found_at, participant_id) where decided_at is null;
create index talent_unmatched_person on talent_unmatched (person_id) where person_id is not null;

create table talent_access (
    id int generated always as identity primary key,
    staff_id int not null references staff (id),
    reason text not null check (reason <> ''),
    agreed_by int not null references staff (id),
    began_at timestamptz not null default now(),
    ends_at timestamptz not null,
    ended_at timestamptz,
    ended_by int references staff (id),
    check (agreed_by <> staff_id),
    check (ends_at <= began_at + interval '90 days')
);
comment on table talent_access is 'Who may open the talents: named persons, for a reason, by a second person''s word, for 90 days at most (SPEC R2). The permission alone opens nothing.';
create index talent_access_staff on talent_access (staff_id, ends_at);

create table talent_copy (
    id int generated always as identity primary key,
    staff_id int not null references staff (id),
    made_at timestamptz not null default now(),
    form text not null check (form in ('pdf', 'xlsx')),
    purpose text not null check (purpose <> ''),
    filter jsonb not null,
    rows int not null
);
comment on table talent_copy is 'Every file of the talents; its number stands on each page of it.';

alter table consent enable row level security;
create policy territory on consent to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));
alter table talent enable row level security;
create policy territory on talent to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));
alter table talent_unmatched enable row level security;
create policy territory on talent_unmatched to elumiti_portal
    using ((select scope_country()) or region_code = any ((select scope_regions())::text[])
        or school_id = any ((select scope_schools())::int[]));

grant select, insert on consent, talent_rule, talent, talent_unmatched, talent_access, talent_copy to elumiti_portal;
grant update (withdrawn_at, withdrawn_by, withdrawn_note) on consent to elumiti_portal;
grant update (state, agreed_by, switched_at) on talent_rule to elumiti_portal;
grant update (left_at, left_why) on talent to elumiti_portal;
grant update (why, rule_id, person_id, decided_by, decided_at, reason) on talent_unmatched to elumiti_portal;
grant delete on talent_unmatched to elumiti_portal;
grant update (ended_at, ended_by) on talent_access to elumiti_portal;
grant execute on function consent_holds to elumiti_portal;

insert into role_permission (role, permission) values
    ('qabilet-specialist', 'talent.view'),
    ('qabilet-specialist', 'talent.export'),
    ('qabilet-specialist', 'talent.match'),
    ('test-administrator', 'talent.rule'),
    ('test-administrator', 'talent.grant'),
    ('test-administrator', 'consent.edit'),
    ('super-admin', 'talent.rule'),
    ('super-admin', 'talent.grant'),
    ('super-admin', 'consent.edit');
