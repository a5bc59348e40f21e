-- 0035_persons.sql
-- Why     The registry of persons (SPEC R1): one base for three projects, attributes by project as data, territory kept by
--         row security (SAFETY P2), IINs sealed and found by a keyed hash (P5), twins flagged, merges that can be undone.
-- Locks   school: share row exclusive while a trigger is made; else new objects only.
-- Time    milliseconds.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the tables, the functions and the permissions' rows.
set local lock_timeout = '2s';

create extension if not exists btree_gin;

-- What portal/core/scope.py tells at the head of a transaction; nothing told is nothing seen.
create function scope_country() returns boolean
    language sql stable parallel safe
    return coalesce(current_setting('elumiti.country', true) = 'on', false);
create function scope_regions() returns text[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('elumiti.regions', true), ''), '{}')::text[];
create function scope_schools() returns int[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('elumiti.schools', true), ''), '{}')::int[];

create table person (
    id bigint generated always as identity primary key,
    external_id text check (external_id <> ''),
    last_name text not null,
    first_name text not null,
    middle_name text not null default '',
    name_key text not null,
    search_key text not null,
    sort_name text not null generated always as (kk(last_name || ' ' || first_name)) stored,
    birth_date date not null,
    sex text check (sex in ('f', 'm')),
    language text not null check (language in ('kk', 'ru', 'en')),
    phone text not null default '',
    email text not null default '',
    photo_key text,
    status text not null default 'active' check (status in ('active', 'archived', 'merged')),
    merged_into bigint references person (id),
    region_code text not null references region (code),
    district_id int references district (id),
    school_id int references school (id),
    grade smallint check (grade between 0 and 12),
    class_letter text not null default '',
    projects text[] not null default '{}',
    import_job bigint references job (id),
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    check ((status = 'merged') = (merged_into is not null))
);
comment on table person is 'A person of the registry, once for all projects.';
comment on column person.name_key is 'Last and first name folded by portal/core/names.py: equal for all spellings, with the birth date it finds twins.';
comment on column person.search_key is 'All names folded, each with a space before it; any part of any spelling is found in it.';
comment on column person.region_code is 'Territory, with district and school: row security and every list go by these columns of the row itself.';
comment on column person.projects is 'Which projects person_project names, kept by its trigger, so that a list filters without a join.';
create unique index person_external on person (external_id) where external_id is not null;
-- Region and grade in the same index: a common name within one region reads the rows of that region alone.
create index person_search on person using gin (search_key gin_trgm_ops, region_code, grade);
-- The walks of a list, from wide to near. What a list is filtered by, and what row security asks, lies in them: thousands
-- are counted or passed over without a look at the rows.
create index person_sort on person (sort_name, id) include (status, grade, sex, language, region_code, school_id);
create index person_region on person (region_code, sort_name, id) include (status, grade, sex, language, school_id);
create index person_district on person (district_id, sort_name, id)
    include (status, grade, sex, language, region_code, school_id);
create index person_school on person (school_id, sort_name, id) include (status, grade, sex, language, region_code);
create index person_twins on person (name_key, birth_date);
create index person_import on person (import_job) where import_job is not null;
create index person_merged on person (merged_into) where merged_into is not null;
-- Values that few have: a walk by name would look at all for 25 of them.
create index person_archived on person (sort_name, id)
    include (grade, sex, language, region_code, school_id) where status = 'archived';
create index person_english on person (sort_name, id)
    include (status, grade, sex, region_code, school_id) where language = 'en';

-- A school lies in one district, a district in one region: the row follows, whoever writes it.
create function person_place() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    if new.school_id is not null then
        select s.district_id into new.district_id from school s where s.id = new.school_id;
    end if;
    if new.district_id is not null then
        select d.region_code into new.region_code from district d where d.id = new.district_id;
    end if;
    return new;
end
$$;
create trigger person_place before insert or update of school_id, district_id, region_code on person
    for each row execute function person_place();
create function school_moved() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    update person set school_id = school_id where school_id = new.id;
    return null;
end
$$;
create trigger school_moved after update of district_id on school
    for each row when (old.district_id is distinct from new.district_id) execute function school_moved();

create table person_project (
    person_id bigint not null references person (id),
    project text not null check (project in ('myn-bala', 'qabilet', 'birge-oqy')),
    role text not null,
    school_id int references school (id),
    grade smallint check (grade between 0 and 12),
    class_letter text not null default '',
    attributes jsonb not null default '{}',
    joined_at timestamptz not null default now(),
    primary key (person_id, project)
);
comment on column person_project.school_id is 'Where he takes part in this project; null: at the school of his row in person. So with grade and letter.';
comment on column person_project.attributes is 'By attribute_field.code of this project.';

create function person_projects() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    -- Only rows that differ: an import writes the right list itself, and a second version of each row costs its indexes.
    update person p
    set projects = n.projects
    from (
        select t.person_id, coalesce(array_agg(pp.project order by pp.project) filter (where pp.project is not null), '{}') as projects
        from (select distinct person_id from touched) t
        left join person_project pp on pp.person_id = t.person_id
        group by t.person_id
    ) n
    where p.id = n.person_id and p.projects is distinct from n.projects;
    return null;
end
$$;
create trigger person_project_added after insert on person_project
    referencing new table as touched for each statement execute function person_projects();
create trigger person_project_taken after delete on person_project
    referencing old table as touched for each statement execute function person_projects();

create table person_iin (
    person_id bigint primary key references person (id),
    sealed bytea not null,
    blind bytea not null
);
comment on table person_iin is 'Sealed for each row, found by an HMAC; both keys are outside of the database (SAFETY P5). Apart from person, so that no list carries it by accident.';
create index person_iin_blind on person_iin (blind);

create table attribute_field (
    id int generated always as identity primary key,
    project text not null check (project in ('myn-bala', 'qabilet', 'birge-oqy')),
    code text not null check (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    title jsonb not null,
    kind text not null check (kind in ('text', 'number', 'date', 'choice', 'flag')),
    choices jsonb not null default '[]',
    required boolean not null default false,
    place int not null default 0,
    retired_at timestamptz,
    unique (project, code)
);
comment on table attribute_field is 'What a project knows of a person beyond the common columns; an administrator changes it (SPEC R1).';
comment on column attribute_field.choices is '[{"code": …, "kk": …, "ru": …, "en": …}] of a choice.';
comment on column attribute_field.retired_at is 'No longer asked for; what was given stays.';

create table person_twin (
    first_id bigint not null references person (id),
    second_id bigint not null references person (id),
    same_name boolean not null,
    same_iin boolean not null,
    state text not null default 'open' check (state in ('open', 'distinct', 'merged')),
    found_at timestamptz not null default now(),
    decided_by int references staff (id),
    decided_at timestamptz,
    reason text not null default '',
    primary key (first_id, second_id),
    check (first_id < second_id)
);
comment on table person_twin is 'Two rows that may be one person: the same folded name and birth date, or the same IIN. «distinct» is «not a duplicate», kept.';
create index person_twin_open on person_twin (found_at desc, first_id) where state = 'open';
create index person_twin_second on person_twin (second_id);

create table person_merge (
    id bigint generated always as identity primary key,
    kept_id bigint not null references person (id),
    gone_id bigint not null references person (id),
    moved jsonb not null,
    reason text not null default '',
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    undone_by int references staff (id),
    undone_at timestamptz,
    check (kept_id <> gone_id)
);
comment on column person_merge.moved is 'What stood before in each changed column and which projects went over: enough to undo it.';
create index person_merge_kept on person_merge (kept_id);
create index person_merge_gone on person_merge (gone_id);

create table saved_view (
    id int generated always as identity primary key,
    staff_id int not null references staff (id),
    list text not null,
    name text not null,
    query text not null,
    unique (staff_id, list, name)
);
comment on table saved_view is 'Filters, columns and order of a list that a person kept under a name.';

create table reading (
    staff_id int not null references staff (id),
    day date not null,
    kind text not null check (kind in ('card', 'row', 'export', 'iin', 'stop')),
    count int not null,
    primary key (staff_id, day, kind)
);
comment on table reading is 'How much of the registry each person read on a day of Astana''s (SAFETY P1); stop: how often he met the measure''s end.';

create table person_staging (
    job_id bigint not null references job (id),
    row_number int not null,
    person_id bigint not null default nextval('person_id_seq'),
    external_id text,
    last_name text not null,
    first_name text not null,
    middle_name text not null,
    name_key text not null,
    search_key text not null,
    birth_date date not null,
    sex text,
    language text not null,
    phone text not null,
    email text not null,
    region_code text not null,
    district_id int,
    school_id int,
    grade smallint,
    class_letter text not null,
    project text,
    role text,
    attributes text not null,
    sealed bytea,
    blind bytea,
    primary key (job_id, row_number)
);
comment on column person_staging.attributes is 'JSON as text: a binary COPY writes no jsonb.';
comment on table person_staging is 'Rows of a checked import that waits for its «take in»; emptied when it is taken or dropped.';

-- Row security. Each part is asked once a statement, as a subquery: a call a row would cost more than the row.
alter table person enable row level security;
create policy territory on person to elumiti_portal
    using ((select scope_country()) or region_code = any ((select scope_regions())::text[])
        or school_id = any ((select scope_schools())::int[]));
alter table person_project enable row level security;
create policy territory on person_project to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));
alter table person_iin enable row level security;
create policy territory on person_iin to elumiti_portal
    using (exists (select 1 from person p where p.id = person_id));
alter table person_twin enable row level security;
create policy territory on person_twin to elumiti_portal
    using (exists (select 1 from person p where p.id = first_id) and exists (select 1 from person p where p.id = second_id));
alter table person_merge enable row level security;
create policy territory on person_merge to elumiti_portal
    using (exists (select 1 from person p where p.id = kept_id) and exists (select 1 from person p where p.id = gone_id));

-- LIKE is not leakproof, so under row security it would never use the trigrams. This runs as the owner and asks for the
-- same territory itself; who holds the answer reads the rows under row security again.
create function person_found(p_patterns text[], p_filter jsonb, p_most int, p_order text) returns setof bigint
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
        wanted := wanted || case
            when scope_schools() = '{}' then format(' and p.region_code = any (%L::text[])', scope_regions()::text)
            when scope_regions() = '{}' then format(' and p.school_id = any (%L::int[])', scope_schools()::text)
            else format(' and (p.region_code = any (%L::text[]) or p.school_id = any (%L::int[]))',
                scope_regions()::text, scope_schools()::text) end;
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
revoke execute on function person_found from public;

-- Twins are looked for in the whole country, whatever the territory of who writes; who sees them, the policy decides.
create function flag_twins(p_ids bigint[]) returns void
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    -- What no longer holds after a change of name, birth date or IIN.
    delete from person_twin where state = 'open' and (first_id = any (p_ids) or second_id = any (p_ids));
    insert into person_twin (first_id, second_id, same_name, same_iin)
    select first_id, second_id, bool_or(name), bool_or(iin)
    from (
        select least(a.id, b.id) as first_id, greatest(a.id, b.id) as second_id, true as name, false as iin
        from unnest(p_ids) as asked (id)
        join person a on a.id = asked.id and a.status <> 'merged'
        join person b on b.name_key = a.name_key and b.birth_date = a.birth_date and b.id <> a.id and b.status <> 'merged'
        union all
        select least(i.person_id, j.person_id), greatest(i.person_id, j.person_id), false, true
        from unnest(p_ids) as asked (id)
        join person_iin i on i.person_id = asked.id
        join person_iin j on j.blind = i.blind and j.person_id <> i.person_id
        join person a on a.id = i.person_id and a.status <> 'merged'
        join person b on b.id = j.person_id and b.status <> 'merged'
    ) as pairs
    group by first_id, second_id
    on conflict (first_id, second_id) do nothing;
end
$$;
revoke execute on function flag_twins from public;

-- New entries of a GIN index wait in a list that every search reads through; after an import that is the slower half of it.
create function settle_search() returns void
    language sql security definer set search_path = public, pg_temp
begin atomic
    select gin_clean_pending_list('person_search'::regclass);
end;
revoke execute on function settle_search from public;

-- What an import would bring twice, looked for in the whole country: row numbers, and nothing of whom they met.
create function staged_ids_taken(p_job bigint) returns setof int
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select s.row_number from person_staging s join person p on p.external_id = s.external_id where s.job_id = p_job;
end;
create function staged_twins(p_job bigint) returns setof int
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select s.row_number
    from person_staging s
    join person p on p.name_key = s.name_key and p.birth_date = s.birth_date and p.status <> 'merged'
    where s.job_id = p_job
    union
    select s.row_number
    from person_staging s
    join person_iin i on i.blind = s.blind
    where s.job_id = p_job;
end;
revoke execute on function staged_ids_taken, staged_twins from public;

grant select, insert, update on person, person_project, person_iin, person_twin, person_merge, attribute_field, saved_view,
    reading to elumiti_portal;
grant delete on person, person_project, person_iin, saved_view, reading to elumiti_portal;
grant select, insert, delete on person_staging to elumiti_portal;
grant usage on sequence person_id_seq to elumiti_portal;
grant execute on function person_found, flag_twins, settle_search, staged_ids_taken, staged_twins to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from unnest(array['super-admin', 'test-administrator']) as role,
    unnest(array[
        'person.view', 'person.edit', 'person.import', 'person.export', 'person.merge', 'person.iin', 'attribute.edit'
    ]) as permission;
