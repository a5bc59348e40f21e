-- 0048_cards.sql
-- Why     The card of a person (SPEC R3): photo, scanned documents that wait for a virus scan, attached persons; grants of a
--         class and of own pupils open the persons that they mean (SAFETY P2).
-- Locks   person: access exclusive for the catalogue while its policy is replaced; the check is not validated by a scan.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. The older portal goes on: it tells no members, so it sees what it saw.
-- Back    put the policy and person_found of 0035 back, drop the tables and functions and the permissions' rows.
set local lock_timeout = '2s';

comment on column person.photo_key is 'The photo in the object store, this key with «-480» and «-96»: square, without metadata. Null: none.';

create table object_let_go (
    key text primary key,
    erase_at timestamptz not null
);
comment on table object_let_go is 'Objects of the bucket «cards» that no row names: let go by a change, or put for one that never came. The worker erases them.';
create index object_let_go_due on object_let_go (erase_at);

create table person_document (
    id bigint generated always as identity primary key,
    person_id bigint not null references person (id),
    kind text not null check (kind in ('diploma', 'school-certificate', 'course', 'award', 'language', 'thanks', 'reference', 'other')),
    title text not null check (title <> ''),
    issuer text not null default '',
    issued_on date,
    language text not null check (language in ('kk', 'ru', 'en', 'other')),
    media text not null check (media in ('application/pdf', 'image/jpeg', 'image/png', 'image/webp')),
    size_bytes int not null,
    object_key text,
    preview_key text,
    state text not null default 'waits' check (state in ('waits', 'clean', 'unchecked', 'refused')),
    checked_at timestamptz,
    note text not null default '',
    try_at timestamptz not null default now(),
    tries smallint not null default 0,
    added_by int not null references staff (id),
    added_at timestamptz not null default now(),
    confirmed_by int references staff (id),
    confirmed_at timestamptz,
    check ((object_key is null) = (state = 'refused')),
    check ((confirmed_by is null) = (confirmed_at is null))
);
comment on table person_document is 'The portfolio: scanned diplomas and certificates. Nobody opens one before the worker looked at it.';
comment on column person_document.state is 'waits: for the worker; clean: the scanner said so; unchecked: no scanner is set; refused: the scanner found something, the file is erased.';
comment on column person_document.note is 'What the scanner called it.';
comment on column person_document.confirmed_by is 'Who has seen the original.';
create index person_document_person on person_document (person_id, id);
create index person_document_waits on person_document (try_at, id) where state = 'waits';
alter table person_document enable row level security;
create policy territory on person_document to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));

-- A link to a file names its key alone: whose it is, to be asked for in the territory then.
create function person_of_document(p_key text) returns bigint
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select person_id from person_document where object_key = p_key;
end;
revoke execute on function person_of_document from public;
create unique index person_document_object on person_document (object_key) where object_key is not null;

create table person_tie (
    id bigint generated always as identity primary key,
    holder_id bigint not null references person (id),
    attached_id bigint not null references person (id),
    kind text not null check (kind in ('teacher', 'tutor', 'assistant', 'specialist', 'coordinator', 'parent', 'guardian')),
    project text references project (code),
    since date not null,
    until date,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    ended_by int references staff (id),
    ended_at timestamptz,
    check (holder_id <> attached_id),
    check (until is null or until >= since)
);
comment on table person_tie is 'The holder is teacher, tutor, parent … of the attached person, from a day to a day. A grant of own pupils opens the attached persons.';
comment on column person_tie.project is 'Null: in all projects (a parent).';
create unique index person_tie_once on person_tie (holder_id, attached_id, kind, coalesce(project, '')) where ended_at is null;
create index person_tie_holder on person_tie (holder_id, id);
create index person_tie_attached on person_tie (attached_id, id);

-- Today in the country's one time zone.
create function tie_holds(since date, until date) returns boolean
    language sql stable parallel safe
    return since <= (now() at time zone 'Asia/Almaty')::date
        and (until is null or until >= (now() at time zone 'Asia/Almaty')::date);

-- A part of a territory: a class of a school, or who is attached to a person within a place. It is some dozens of persons,
-- so they are told by id, and neither policies nor lists have to know how they were found.
create function scope_members() returns bigint[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('elumiti.members', true), ''), '{}')::bigint[];
create function members_of(p_parts jsonb) returns bigint[]
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select coalesce(array_agg(distinct m.id), '{}')
    from jsonb_to_recordset(p_parts) as part (attached_to bigint, project text, region text, schools int[], class_name text)
    cross join lateral (
        select p.id
        from person p
        where part.attached_to is null and p.school_id = any (part.schools)
            and p.grade::text || upper(p.class_letter) = part.class_name
        union all
        select p.id
        from person_tie t
        join person p on p.id = t.attached_id
        where part.attached_to is not null and t.holder_id = part.attached_to and t.ended_at is null
            and tie_holds(t.since, t.until) and t.kind not in ('parent', 'guardian')
            and (t.project is null or part.project is null or t.project = part.project)
            and (part.region is null or p.region_code = part.region)
            and (part.schools is null or p.school_id = any (part.schools))
    ) as m;
end;
revoke execute on function members_of from public;

drop policy territory on person;
create policy territory on person to elumiti_portal
    using ((select scope_country()) or region_code = any ((select scope_regions())::text[])
        or school_id = any ((select scope_schools())::int[]) or id = any ((select scope_members())::bigint[]));

alter table person_tie enable row level security;
create policy territory on person_tie to elumiti_portal
    using (exists (select 1 from person p where p.id = attached_id) or exists (select 1 from person p where p.id = holder_id));
create policy both_sides on person_tie as restrictive for insert to elumiti_portal
    with check (exists (select 1 from person p where p.id = attached_id) and exists (select 1 from person p where p.id = holder_id));

-- The other side of a tie may lie outside of the territory: a tutor of another region, the school of a moved pupil. Whoever
-- sees a pupil reads the names of those who are there for him, and nothing else; a person reads both sides of his own.
create function tie_names(p_person bigint)
    returns table (id bigint, person_id bigint, name text, holds boolean, kind text, project text, since date, until date,
                   ended_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select t.id, o.id, concat_ws(' ', o.last_name, o.first_name, nullif(o.middle_name, '')), t.holder_id = a.id, t.kind, t.project,
           t.since, t.until, t.ended_at
    from person a
    join person_tie t on t.attached_id = a.id or (t.holder_id = a.id and a.id = scope_person())
    join person o on o.id = case when t.holder_id = a.id then t.attached_id else t.holder_id end
    where a.id = p_person and (scope_country() or a.region_code = any (scope_regions()) or a.school_id = any (scope_schools())
        or a.id = any (scope_members()) or a.id = scope_person())
    order by t.ended_at is not null, o.sort_name, t.id;
end;
revoke execute on function tie_names from public;

-- A person reads his own row and changes nothing in it but the photo.
create function set_photo(p_person bigint, p_key text) returns text
    language sql security definer set search_path = public, pg_temp
begin atomic
    with before as (
        select p.id, p.photo_key
        from person p
        where p.id = p_person and p.status <> 'merged' and (scope_country() or p.region_code = any (scope_regions())
            or p.school_id = any (scope_schools()) or p.id = any (scope_members()) or p.id = scope_person())
        for no key update
    )
    update person p set photo_key = p_key, changed_at = now() from before where p.id = before.id
    returning before.photo_key;
end;
revoke execute on function set_photo from public;

create or replace function person_found(p_patterns text[], p_filter jsonb, p_most int, p_order text) returns setof bigint
    language plpgsql stable security definer set search_path = public, pg_temp set jit = off set work_mem = '32MB' as
$$
declare
    wanted text := '';
    pattern text;
    sorted constant text := case p_order
        when 'name' then 'sort_name, id'
        when '-name' then 'sort_name desc, id desc'
        when 'born' then 'birth_date, id'
        when '-born' then 'birth_date desc, id desc'
        when 'class' then 'grade, class_letter, sort_name, id'
        when '-class' then 'grade desc, class_letter desc, sort_name desc, id desc'
        when 'school' then 'school_id, grade, class_letter, sort_name, id'
        when '-school' then 'school_id desc, grade, class_letter, sort_name, id'
        when 'new' then 'id desc'
        when '-new' then 'id' end;
begin
    foreach pattern in array p_patterns loop
        wanted := wanted || format(' and p.search_key like %L', pattern);
    end loop;
    if not scope_country() then
        -- What is not told is not asked for: one place alone is one walk of an index.
        wanted := wanted || ' and (' || concat_ws(' or ',
            case when scope_regions() <> '{}' then format('p.region_code = any (%L::text[])', scope_regions()::text) end,
            case when scope_schools() <> '{}' then format('p.school_id = any (%L::int[])', scope_schools()::text) end,
            case when scope_members() <> '{}' or (scope_regions() = '{}' and scope_schools() = '{}')
                then format('p.id = any (%L::bigint[])', scope_members()::text) end) || ')';
    end if;
    if p_filter ? 'status' then wanted := wanted || format(' and p.status = %L', p_filter ->> 'status'); end if;
    if p_filter ? 'region' then wanted := wanted || format(' and p.region_code = %L', p_filter ->> 'region'); end if;
    if p_filter ? 'district' then wanted := wanted || format(' and p.district_id = %L::int', p_filter ->> 'district'); end if;
    if p_filter ? 'school' then wanted := wanted || format(' and p.school_id = %L::int', p_filter ->> 'school'); end if;
    if p_filter ? 'grade' then wanted := wanted || format(' and p.grade = %L::smallint', p_filter ->> 'grade'); end if;
    if p_filter ? 'letter' then wanted := wanted || format(' and p.class_letter = %L', p_filter ->> 'letter'); end if;
    if p_filter ? 'language' then wanted := wanted || format(' and p.language = %L', p_filter ->> 'language'); end if;
    if p_filter ? 'sex' then wanted := wanted || format(' and p.sex = %L', p_filter ->> 'sex'); end if;
    if p_filter ? 'project' then wanted := wanted || format(' and %L = any (p.projects)', p_filter ->> 'project'); end if;
    -- First the bound, then the order: sorting all of a common name would read a hundred thousand rows for one page.
    return query execute 'select f.id from (select p.* from person p where true' || wanted || ' limit ' || p_most
        || ') as f order by ' || sorted;
end
$$;

grant select, insert, update, delete on object_let_go, person_document to elumiti_portal;
grant select, insert on person_tie to elumiti_portal;
grant update (holder_id, attached_id, until, ended_by, ended_at) on person_tie to elumiti_portal;
grant execute on function members_of, tie_names, set_photo, person_of_document to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from (values
    ('super-admin', array['portfolio.view', 'portfolio.confirm', 'tie.view', 'tie.edit', 'tie.contact', 'tie.export']),
    ('test-administrator', array['portfolio.view', 'portfolio.confirm', 'tie.view', 'tie.edit', 'tie.contact', 'tie.export']),
    ('birge-coordinator', array['person.view', 'portfolio.view', 'portfolio.confirm', 'tie.view', 'tie.edit', 'tie.contact', 'tie.export']),
    ('qabilet-coordinator', array['person.view', 'portfolio.view', 'portfolio.confirm', 'tie.view', 'tie.edit', 'tie.contact', 'tie.export']),
    ('myn-bala-coordinator', array['person.view', 'portfolio.view', 'tie.view', 'tie.contact']),
    ('myn-bala-school-manager', array['person.view', 'portfolio.view', 'tie.view', 'tie.contact']),
    ('birge-teacher', array['person.view', 'portfolio.view', 'tie.view']),
    ('birge-tutor', array['person.view', 'portfolio.view', 'tie.view']),
    ('birge-assistant', array['person.view', 'tie.view']),
    ('qabilet-teacher', array['person.view', 'portfolio.view', 'tie.view']),
    ('qabilet-specialist', array['person.view', 'portfolio.view', 'tie.view'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;
