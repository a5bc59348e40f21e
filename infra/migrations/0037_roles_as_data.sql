-- 0037_roles_as_data.sql
-- Why     Roles of three projects are data; a grant has a finer territory, falls asleep and is renewed; super-admins work
--         in a raised session; privileged roles have a second factor; modules are switched per project (SPEC R4, SAFETY P1).
-- Locks   staff_grant, staff_session, role_permission, pending_act: access exclusive for the catalogue; constant defaults
--         rewrite nothing, the checks and keys scan tables of a few thousand rows. school: share, for its index.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. The older portal goes on, but finds no grant of a super-admin (project null).
-- Back    set project to 'myn-bala' where it is null; leave the columns and tables.
set local lock_timeout = '2s';

create table project (
    code text primary key,
    name_kk text not null,
    name_ru text not null,
    name_en text not null,
    place smallint not null
);
comment on table project is 'The national projects of the platform.';
insert into project (code, name_kk, name_ru, name_en, place) values
    ('birge-oqy', 'Бірге оқы', 'Birge Oqý', 'Birge Oqý', 1),
    ('qabilet', 'Қабілет', 'Qabilet', 'Qabilet', 2),
    ('myn-bala', 'Мың бала', 'Мың бала', 'Myń Bala', 3);

create table role (
    code text primary key check (code ~ '^[a-z][a-z-]{1,39}$'),
    kind text not null check (kind in ('project', 'working', 'house')),
    project text references project (code),
    name_kk text not null,
    name_ru text not null,
    name_en text not null,
    place smallint not null,
    raised boolean not null default false,
    check ((kind = 'project') = (project is not null))
);
comment on table role is 'A project''s own roles, working roles that exist in each project, and roles of the whole house.';
comment on column role.raised is 'Beyond what is marked at_rest its permissions hold in a raised session only: with a reason and an end.';

insert into role (code, kind, project, name_kk, name_ru, name_en, place, raised) values
    ('birge-guest', 'project', 'birge-oqy', 'қонақ', 'гость', 'guest', 1, false),
    ('birge-pupil', 'project', 'birge-oqy', 'оқушы', 'ученик', 'pupil', 2, false),
    ('birge-teacher', 'project', 'birge-oqy', 'мұғалім', 'учитель', 'teacher', 3, false),
    ('birge-tutor', 'project', 'birge-oqy', 'тьютор', 'тьютор', 'tutor', 4, false),
    ('birge-assistant', 'project', 'birge-oqy', 'көмекші', 'ассистент', 'assistant', 5, false),
    ('birge-coordinator', 'project', 'birge-oqy', 'үйлестіруші', 'координатор', 'coordinator', 6, false),
    ('qabilet-guest', 'project', 'qabilet', 'қонақ', 'гость', 'guest', 1, false),
    ('qabilet-test-taker', 'project', 'qabilet', 'тест тапсырушы', 'тестируемый', 'test taker', 2, false),
    ('qabilet-teacher', 'project', 'qabilet', 'мұғалім', 'учитель', 'teacher', 3, false),
    ('qabilet-specialist', 'project', 'qabilet', 'Qabilet қызметінің маманы', 'специалист службы Qabilet', 'specialist of Qabilet', 4, false),
    ('qabilet-coordinator', 'project', 'qabilet', 'үйлестіруші', 'координатор', 'coordinator', 5, false),
    ('myn-bala-guest', 'project', 'myn-bala', 'қонақ', 'гость', 'guest', 1, false),
    ('myn-bala-pupil', 'project', 'myn-bala', 'оқушы', 'ученик', 'pupil', 2, false),
    ('myn-bala-coordinator', 'project', 'myn-bala', 'үйлестіруші', 'координатор', 'coordinator', 3, false),
    ('myn-bala-school-manager', 'project', 'myn-bala', 'оқу орнының менеджері', 'менеджер учебного заведения', 'manager of a school', 4, false),
    ('test-developer', 'working', null, 'тест әзірлеуші', 'разработчик тестов', 'test developer', 1, false),
    ('test-administrator', 'working', null, 'тест әкімшісі', 'администратор теста', 'test administrator', 2, false),
    ('proctor', 'working', null, 'проктор', 'проктор', 'proctor', 3, false),
    ('analyst', 'working', null, 'талдаушы', 'аналитик', 'analyst', 4, false),
    ('super-admin', 'house', null, 'супер-әкімші', 'суперадминистратор', 'super-admin', 1, true),
    ('system-admin', 'house', null, 'жүйе әкімшісі', 'системный администратор', 'system admin', 2, false),
    ('content-manager', 'house', null, 'контент-менеджер (модератор)', 'контент-менеджер (модератор)', 'content manager (moderator)', 3, false),
    ('observer', 'house', null, 'бақылаушы', 'наблюдатель', 'observer', 4, false),
    ('quality-manager', 'house', null, 'сапа бақылау менеджері', 'менеджер контроля качества', 'quality-control manager', 5, false);

alter table role_permission
    add column at_rest boolean not null default false,
    add foreign key (role) references role (code);
comment on column role_permission.at_rest is 'Of a role that works in raised sessions: holds without one too (reading the house).';
comment on table role_permission is 'What a role may do: module.action, as declared in code beside each route.';

alter table staff_grant
    alter column project drop not null,
    alter column project drop default,
    add column district_id int references district (id),
    add column class_name text not null default '',
    add column own_pupils boolean not null default false,
    add column used_at timestamptz not null default now(),
    add column asleep_at timestamptz,
    add foreign key (project) references project (code),
    add foreign key (role) references role (code),
    add constraint staff_grant_one_place check (num_nonnulls(region_code, district_id, school_id) <= 1),
    add constraint staff_grant_class check (class_name = '' or (school_id is not null and not own_pupils));
update staff_grant set project = null where role in (select code from role where kind = 'house');
create index staff_grant_end on staff_grant (ends_at);
-- A district's grant is read as its schools, with each request.
create index school_of_district on school (district_id);
comment on table staff_grant is 'A role in a project (null: the whole house) within a territory: the country, a region, a district, a school, a class of it, or the own pupils; always with an end.';
comment on column staff_grant.own_pupils is 'Only pupils that are attached to this person, within the rest of the territory.';
comment on column staff_grant.used_at is 'Given, woken, renewed or used last; written once a day at most. 30 days later the grant is asleep (SAFETY P1).';
comment on column staff_grant.asleep_at is 'Asleep since: it gives nothing until a keyholder wakes it.';

alter table staff_session
    add column project text not null default 'myn-bala' references project (code),
    add column factor_at timestamptz,
    add column raised_until timestamptz,
    add column raised_reason text not null default '',
    add column seen_as jsonb,
    add column seen_until timestamptz,
    add constraint staff_session_raised check (raised_until is null or raised_reason <> '');
comment on column staff_session.factor_at is 'When the second factor was shown; null: by the password alone.';
comment on column staff_session.seen_as is 'The role and territory that the person looks at the house as, until seen_until; nothing is written meanwhile.';

create table staff_totp (
    staff_id int primary key references staff (id),
    secret bytea not null,
    made_at timestamptz not null default now(),
    confirmed_at timestamptz,
    last_step bigint not null default 0,
    misses smallint not null default 0,
    rests_until timestamptz
);
comment on table staff_totp is 'The authenticator app of a member of staff (RFC 6238); until confirmed_at it counts for nothing.';
comment on column staff_totp.secret is 'Sealed with the portal''s factor key: a dump of the table makes no codes.';
comment on column staff_totp.last_step is 'The newest 30-second step whose code was taken: none is taken twice.';

create table project_module (
    project text not null references project (code),
    module text not null,
    is_on boolean not null,
    primary key (project, module)
);
comment on table project_module is 'Modules switched per project; without a row a module is on.';

-- An act on the house itself (roles) belongs to no project.
alter table pending_act add column project text default 'myn-bala' references project (code);
update pending_act set project = null where act = 'role.give';
comment on column pending_act.project is 'Decided within this project; null: within any.';

grant select on project, role to elumiti_portal;
grant insert on role to elumiti_portal;
grant select, insert, update on project_module to elumiti_portal;
grant select, insert, update, delete on staff_totp to elumiti_portal;

update role_permission set at_rest = true
where role = 'super-admin' and permission in ('sitting.view', 'audit.view', 'staff.view');

insert into role_permission (role, permission)
select role, permission
from (values
    ('super-admin', array['role.see-as', 'module.edit']),
    ('system-admin', array['sitting.view', 'staff.view', 'audit.view', 'module.edit', 'incident.write', 'receipt.check']),
    ('content-manager', array['sitting.view', 'incident.write']),
    ('observer', array['sitting.view', 'live.view']),
    ('quality-manager', array['sitting.view', 'live.view', 'score.view', 'audit.view', 'staff.view']),
    ('test-developer', array['sitting.view']),
    ('myn-bala-coordinator', array['sitting.view', 'participant.view', 'participant.export', 'slip.print', 'live.view', 'receipt.check']),
    ('myn-bala-school-manager', array['sitting.view', 'participant.view', 'slip.print', 'live.view', 'receipt.check']),
    ('qabilet-coordinator', array['sitting.view', 'participant.view', 'participant.export', 'slip.print', 'live.view', 'receipt.check']),
    ('qabilet-specialist', array['sitting.view', 'participant.view', 'score.view']),
    ('qabilet-teacher', array['sitting.view', 'participant.view']),
    ('birge-coordinator', array['sitting.view', 'participant.view', 'live.view', 'receipt.check']),
    ('birge-teacher', array['sitting.view', 'participant.view']),
    ('birge-tutor', array['sitting.view']),
    ('birge-assistant', array['sitting.view'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;

-- Whoever sees no more than a school may go without a second factor; for everybody else it is needed unless two persons say otherwise.
insert into role_permission (role, permission)
select code, 'account.password-alone'
from role
where code in (
    'birge-guest', 'birge-pupil', 'birge-teacher', 'birge-tutor', 'birge-assistant', 'qabilet-guest', 'qabilet-test-taker',
    'qabilet-teacher', 'myn-bala-guest', 'myn-bala-pupil', 'myn-bala-school-manager');
