-- 0049_work_and_results.sql
-- Why     The rest of a card (SPEC R3): the KPI log of a role in a project, reviews of teachers and tutors, a person's published
--         results over time, the log of tests that somebody made and held.
-- Locks   participant: share while its index is made (a second for a million rows; no sitting may run); else new objects.
-- Time    seconds at the most; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the tables, the view, the functions, the index and the permissions' rows.
set local lock_timeout = '2s';

create table kpi_measure (
    code text primary key check (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    project text references project (code),
    role text not null,
    name_kk text not null,
    name_ru text not null,
    name_en text not null,
    unit text not null check (unit in ('count', 'percent', 'hours')),
    from_system boolean not null default false,
    place smallint not null,
    retired_at timestamptz
);
comment on table kpi_measure is 'What is measured of a role in a project (null: in each). Data: another measure is another row.';
comment on column kpi_measure.from_system is 'Counted by the platform itself from what it keeps; nobody enters it.';
insert into kpi_measure (code, project, role, name_kk, name_ru, name_en, unit, from_system, place) values
    ('lessons-held', 'birge-oqy', 'teacher', 'Өткізілген сабақтар', 'Проведено уроков', 'Lessons held', 'count', false, 1),
    ('homework-in-time', 'birge-oqy', 'teacher', 'Үш күн ішінде тексерілген үй тапсырмалары', 'Домашних работ проверено за три дня', 'Homework checked within three days', 'percent', false, 2),
    ('attendance', 'birge-oqy', 'teacher', 'Оқушылардың сабаққа қатысуы', 'Посещаемость учеников', 'Attendance of pupils', 'percent', false, 3),
    ('consultations', 'birge-oqy', 'tutor', 'Өткізілген кеңестер', 'Проведено консультаций', 'Consultations held', 'count', false, 4),
    ('tutoring-hours', 'birge-oqy', 'assistant', 'Оқушылармен жұмыс, сағат', 'Работа с учениками, часов', 'Hours of work with pupils', 'hours', false, 5),
    ('guidance-talks', 'qabilet', 'specialist', 'Кәсіптік бағдарлау әңгімелері', 'Бесед по профориентации', 'Talks of career guidance', 'count', false, 6),
    ('items-written', null, 'test-developer', 'Жазылған тапсырмалар', 'Написано заданий', 'Items written', 'count', false, 7),
    ('items-accepted', null, 'test-developer', 'Қабылданған тапсырмалар', 'Принято заданий', 'Items accepted', 'count', false, 8),
    ('sittings-published', null, 'test-administrator', 'Жарияланған сессиялар', 'Опубликовано сеансов', 'Sittings published', 'count', true, 9),
    ('sittings-closed', null, 'test-administrator', 'Өткізіліп, жабылған сессиялар', 'Проведено и закрыто сеансов', 'Sittings held and closed', 'count', true, 10),
    ('slips-printed', null, 'test-administrator', 'Басып шығарылған кіру парақтарының файлдары', 'Напечатано файлов с листами входа', 'Files of sign-in slips printed', 'count', true, 11),
    ('imports-taken', null, 'test-administrator', 'Қабылданған оқушылар тізімдері', 'Принято списков учеников', 'Lists of pupils taken in', 'count', true, 12);

create table kpi_entry (
    id bigint generated always as identity primary key,
    person_id bigint not null references person (id),
    project text not null references project (code),
    measure text not null references kpi_measure (code),
    day date not null,
    value numeric(10, 2) not null check (value >= 0),
    source text not null check (source in ('system', 'entered', 'imported')),
    note text not null default '',
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    check ((source = 'system') = (made_by is null))
);
comment on table kpi_entry is 'The KPI log: what a person did on a day, counted by the platform or said by a coordinator.';
create index kpi_entry_person on kpi_entry (person_id, day, id);
create unique index kpi_entry_once on kpi_entry (person_id, project, measure, day) where source = 'system';
alter table kpi_entry enable row level security;
create policy territory on kpi_entry to elumiti_portal using (exists (select 1 from person p where p.id = person_id));

-- What the platform knows of a day's work. Reads the trail of those alone whose row of the registry is known.
create view kpi_known with (security_barrier) as
select s.person_id, coalesce(si.project, 'myn-bala') as project, known.measure,
       (a.at at time zone 'Asia/Almaty')::date as day, count(*)::int as value
from staff s
join audit a on a.staff_id = s.id and a.at > now() - interval '40 days'
join (values
    ('sitting.sitting.published', 'sittings-published'),
    ('sitting.sitting.closed', 'sittings-closed'),
    ('slip.file.printed', 'slips-printed'),
    ('participant.import.taken', 'imports-taken')
) as known (act, measure) on known.act = a.act
left join sitting si on a.object_kind = 'sitting' and a.object_id = si.id::text
where s.person_id is not null
group by 1, 2, 3, 4;
comment on view kpi_known is 'Measures that the platform counts itself, a row a person, project, measure and day of the last forty days.';

create table review (
    id bigint generated always as identity primary key,
    author_id bigint not null references person (id),
    about_id bigint not null references person (id),
    kind text not null check (kind in ('teacher', 'tutor', 'assistant', 'specialist')),
    project text not null references project (code),
    period text not null check (period ~ '^20[0-9]{2}-[12]$'),
    stars smallint not null check (stars between 1 and 5),
    body text not null default '',
    state text not null default 'waits' check (state in ('waits', 'approved', 'rejected')),
    reason text not null default '',
    decided_by int references staff (id),
    decided_at timestamptz,
    made_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (author_id, about_id, project, period),
    check (author_id <> about_id),
    check ((state = 'waits') = (decided_at is null)),
    check (state <> 'rejected' or reason <> '')
);
comment on table review is 'Stars and words of a person about who taught him; one a project and half-year, shown once a content manager approved it (SPEC F3).';
comment on column review.period is 'The half of a year: 2026-2 is July to December.';
create index review_about on review (about_id, id);
create index review_waits on review (changed_at, id) where state = 'waits';
alter table review enable row level security;
create policy territory on review to elumiti_portal
    using (exists (select 1 from person p where p.id = about_id) or exists (select 1 from person p where p.id = author_id));

-- The reviewed person reads what was approved; a child who wrote it has no name there. His territory is asked like a policy's.
create function reviews_of(p_about bigint)
    returns table (id bigint, kind text, project text, period text, stars smallint, body text, author text)
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select r.id, r.kind, r.project, r.period, r.stars, r.body,
           case when w.birth_date <= (now() at time zone 'Asia/Almaty')::date - interval '18 years'
               then concat_ws(' ', w.last_name, w.first_name) end
    from person a
    join review r on r.about_id = a.id and r.state = 'approved'
    join person w on w.id = r.author_id
    where a.id = p_about and (scope_country() or a.region_code = any (scope_regions()) or a.school_id = any (scope_schools())
        or a.id = any (scope_members()) or a.id = scope_person())
    order by r.period desc, r.id desc
    limit 500;
end;
revoke execute on function reviews_of from public;

create table result_run (
    run_id bigint primary key references score_run (id),
    taken_at timestamptz not null default now()
);
comment on table result_run is 'Published runs whose points were put into `result`.';
create table result (
    attempt_id bigint primary key,
    run_id bigint not null references score_run (id),
    raw numeric(8, 2) not null,
    max_points numeric(8, 2) not null,
    scaled numeric(6, 2),
    percentile numeric(6, 2)
);
comment on table result is 'Points of the newest published run of each sitting, by attempt: what a pupil may see of himself. Written after publication alone (SAFETY J6).';

create index participant_born on participant (birth_date, school_id);
-- Which pupils of sittings a person was: the same school and birth date with the same external id or the same name; or the
-- same external id and name in a school he has left. Where two persons could be meant, nobody is, until somebody decides.
create function participations_of(p_person bigint)
    returns table (attempt_id bigint, sitting_id int, title jsonb, project text, starts_at timestamptz, grade smallint,
                   started_at timestamptz, finished_at timestamptz, raw numeric, max_points numeric, scaled numeric,
                   percentile numeric)
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select pt.id, s.id, s.title, s.project, s.starts_at, pt.grade, at.started_at, at.finished_at, r.raw, r.max_points,
           r.scaled, r.percentile
    from person a
    join participant pt on pt.birth_date = a.birth_date
    join sitting s on s.id = pt.sitting_id and s.state <> 'draft'
    left join attempt at on at.id = pt.id
    left join result r on r.attempt_id = pt.id and not exists (
        select from exclusion e where e.attempt_id = pt.id and e.excluded)
    left join talent_unmatched u on u.participant_id = pt.id and u.decided_at is not null
    where a.id = p_person and a.status <> 'merged'
        and (scope_country() or a.region_code = any (scope_regions()) or a.school_id = any (scope_schools())
            or a.id = any (scope_members()) or a.id = scope_person())
        and case when u.participant_id is not null then u.person_id is not distinct from a.id
            when a.external_id is not null and pt.external_id = a.external_id
                then pt.school_id = a.school_id or (
                    lower(pt.last_name) = lower(a.last_name) and lower(pt.first_name) = lower(a.first_name))
            else pt.school_id = a.school_id and lower(pt.last_name) = lower(a.last_name)
                and lower(pt.first_name) = lower(a.first_name)
                and not exists (
                    select
                    from person q
                    where q.name_key = a.name_key and q.birth_date = a.birth_date and q.school_id = a.school_id
                        and q.id <> a.id and q.status = 'active') end
    order by s.starts_at desc, pt.id desc
    limit 200;
end;
revoke execute on function participations_of from public;

grant select on kpi_measure, kpi_known to elumiti_portal;
grant select, insert, update, delete on kpi_entry to elumiti_portal;
grant select, insert, update on review to elumiti_portal;
grant select, insert on result_run to elumiti_portal;
grant insert, update, delete on result to elumiti_portal;
grant select (attempt_id, run_id) on result to elumiti_portal;
grant execute on function reviews_of, participations_of to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from (values
    ('super-admin', array['kpi.view', 'kpi.edit', 'kpi.export', 'review.view', 'review.moderate', 'person.results', 'person.work']),
    ('test-administrator', array['kpi.view', 'kpi.edit', 'kpi.export', 'review.view', 'person.results', 'person.work']),
    ('content-manager', array['review.moderate']),
    ('quality-manager', array['person.view', 'kpi.view', 'kpi.export', 'review.view', 'person.work']),
    ('birge-coordinator', array['kpi.view', 'kpi.edit', 'kpi.export', 'review.view', 'person.results']),
    ('qabilet-coordinator', array['kpi.view', 'kpi.edit', 'kpi.export', 'review.view', 'person.results']),
    ('myn-bala-coordinator', array['person.results']),
    ('birge-teacher', array['person.results']),
    ('birge-tutor', array['person.results']),
    ('qabilet-teacher', array['person.results']),
    ('qabilet-specialist', array['person.results'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;
