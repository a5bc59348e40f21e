-- 0046_registration.sql
-- Why     People register by themselves: by a proven e-mail or phone, or by a class's code that a teacher confirms; who is under
--         age waits for the legal representative (issue 5, SAFETY P3 and P6). The texts that are agreed to are data.
-- Locks   role, staff, consent, post: access exclusive for the catalogue; constant defaults rewrite nothing.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the tables and the permissions' rows; leave the columns.
set local lock_timeout = '2s';

alter table role add column registers boolean not null default false;
comment on column role.registers is 'Who registers by himself has such a role and no other; it is no role of staff.';
update role set registers = true
where code in (
    'birge-guest', 'birge-pupil', 'qabilet-guest', 'qabilet-test-taker', 'myn-bala-guest', 'myn-bala-pupil');

alter table staff
    add column phone_proven_at timestamptz,
    add constraint staff_phone_proven check (phone_proven_at is null or phone <> '');
comment on column staff.phone_proven_at is 'A code sent there was typed in; null: for colleagues, not proven.';
create unique index staff_proven_phone on staff (phone) where phone_proven_at is not null;
create index staff_registered on staff (id) where registered_at is not null;

create table proof (
    id bigint generated always as identity primary key,
    purpose text not null check (purpose in ('register', 'sign', 'withdraw')),
    channel text not null check (channel in ('mail', 'sms')),
    address text not null,
    place text not null,
    language text not null check (language in ('kk', 'ru', 'en')),
    token_hash bytea unique,
    seed text not null default '',
    asked_at timestamptz not null default now(),
    answered_at timestamptz,
    ends_at timestamptz not null,
    tries smallint not null default 0,
    proven_at timestamptz,
    used_at timestamptz
);
comment on table proof is 'Who says that an e-mail or a phone is his. The page writes this row and nothing else, whether we know the address or not; the worker answers.';
comment on column proof.seed is 'Code and link are made of it with a key outside the database; empty: nothing was sent, so nothing fits.';
comment on column proof.place is 'Where it was asked from, to count by.';
create index proof_open on proof (id) where answered_at is null;
create index proof_place on proof (place, asked_at);
create index proof_address on proof (address, asked_at);

create table registration_miss (
    place text not null,
    at timestamptz not null default now()
);
comment on table registration_miss is 'Class codes that nobody has, and logins that were taken, by where they were typed.';
create index registration_miss_place on registration_miss (place, at);

create table class_code (
    id int generated always as identity primary key,
    school_id int not null references school (id),
    grade smallint not null check (grade between 0 and 12),
    class_letter text not null,
    project text not null references project (code),
    role text not null references role (code),
    seed text not null,
    code_hash bytea not null unique,
    most_uses int not null check (most_uses between 1 and 60),
    uses int not null default 0,
    made_by int not null references staff (id),
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    ended_at timestamptz,
    check (uses <= most_uses),
    check (ends_at <= made_at + interval '15 days')
);
comment on table class_code is 'A code by which the children of one class ask to be registered; it makes requests only (SAFETY P3).';
create index class_code_school on class_code (school_id, id);

create table registration (
    id bigint generated always as identity primary key,
    staff_id int not null unique references staff (id),
    way text not null check (way in ('email', 'phone', 'code')),
    state text not null check (state in ('teacher', 'consent')),
    project text not null references project (code),
    role text not null references role (code),
    last_name text not null,
    first_name text not null,
    middle_name text not null default '',
    name_key text not null,
    birth_date date not null,
    language text not null check (language in ('kk', 'ru', 'en')),
    region_code text not null references region (code),
    school_id int references school (id),
    grade smallint check (grade between 0 and 12),
    class_letter text not null default '',
    class_code_id int references class_code (id),
    person_id bigint references person (id),
    child_agreed_at timestamptz,
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    check ((state = 'teacher') <= (class_code_id is not null))
);
comment on table registration is 'Who has registered and is not a person of the registry yet. The row goes when he is, when he is declined, and when its time is over.';
comment on column registration.state is 'teacher: the class teacher confirms; consent: a legal representative, or the person when of age, agrees.';
comment on column registration.person_id is 'The row of the registry that the teacher said it is; null: a new one.';
create index registration_school on registration (school_id, state, id);
create index registration_region on registration (region_code, state, id);
create index registration_end on registration (ends_at);

-- Told by portal/core/scope.py: the login that acts, for what is its own and in no territory yet.
create function scope_login() returns int
    language sql stable parallel safe
    return nullif(current_setting('elumiti.login', true), '')::int;
alter table registration enable row level security;
create policy territory on registration to elumiti_portal
    using ((select scope_country()) or region_code = any ((select scope_regions())::text[])
        or school_id = any ((select scope_schools())::int[]));
create policy own on registration to elumiti_portal using (staff_id = (select scope_login()));

create table consent_text (
    id int generated always as identity primary key,
    version text not null check (version ~ '^[0-9A-Za-z.-]{1,40}$'),
    language text not null check (language in ('kk', 'ru', 'en')),
    part text not null check (part in (
        'whole', 'child', 'registry', 'sitting', 'camera', 'talents', 'contact', 'publication')),
    text text not null check (text <> ''),
    draft boolean not null default false,
    in_force_from date not null,
    made_by int references staff (id),
    made_at timestamptz not null default now(),
    unique (version, language, part)
);
comment on table consent_text is 'The texts that are agreed to. A version never changes; another text is another version.';
comment on column consent_text.part is 'whole: what stands above all purposes; child: the child''s own plain words; else a purpose.';
create index consent_text_force on consent_text (in_force_from);

create table consent_ask (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('give', 'withdraw')),
    registration_id bigint references registration (id) on delete set null,
    person_id bigint references person (id),
    first_name text not null,
    given_by text not null,
    relation text not null check (relation in ('mother', 'father', 'guardian', 'self')),
    channel text not null check (channel in ('mail', 'sms')),
    address text not null,
    language text not null check (language in ('kk', 'ru', 'en')),
    token_hash bytea not null unique,
    chosen text[] not null default '{}',
    version text not null default '',
    proof_id bigint references proof (id) on delete set null,
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    done_at timestamptz
);
comment on table consent_ask is 'A link to a legal representative (of age: to the person): to agree, or to withdraw. It signs nobody in and shows a first name alone.';
create index consent_ask_registration on consent_ask (registration_id);
create index consent_ask_person on consent_ask (person_id);
create index consent_ask_address on consent_ask (address, made_at);

grant select, insert, update, delete on proof, registration, consent_ask to elumiti_portal;
grant select, insert, delete on registration_miss to elumiti_portal;
grant select, insert on class_code to elumiti_portal;
grant update (uses, ended_at) on class_code to elumiti_portal;
grant select, insert on consent_text to elumiti_portal;

insert into role_permission (role, permission)
select role, permission
from (values
    ('registration.confirm', array['birge-teacher', 'birge-coordinator', 'qabilet-teacher', 'qabilet-coordinator',
        'myn-bala-school-manager', 'myn-bala-coordinator', 'test-administrator', 'super-admin']),
    ('consent.text', array['test-administrator', 'super-admin']),
    ('consent.erase', array['test-administrator', 'super-admin'])
) as given (permission, roles), unnest(roles) as role;

insert into setting (name, value) values ('consent_age', '18') on conflict do nothing;

-- A draft for the lawyer; what he changes comes as another version, by the page.
insert into consent_text (version, draft, in_force_from, language, part, text)
select '2026-1', true, '2026-11-01', language, part, text
from (values
    ('kk', 'whole', 'El Úmiti платформасы — балалардың қабілетін табу және дамыту үшін жасалған мемлекеттік жобалардың ортақ жүйесі. Деректер Қазақстанда сақталады, сатылмайды және жарнамаға берілмейді. Әр мақсат бөлек: біріне келісіп, екіншісіне келіспеуге болады. Келісімді кез келген уақытта қайтарып алуға болады: сол мақсат үшін деректі қолдану бірден тоқтайды, ал деректің өзі 15 күн ішінде өшіріледі. Егер апелляция немесе заң деректі сақтауды талап етсе, біз оны нақты айтамыз.'),
    ('kk', 'child', 'Біз сенің атыңды, туған күніңді, мектебің мен сыныбыңды сақтаймыз. Бұл саған тест тапсыру, сабаққа қатысу және нәтижеңді көру үшін керек. Оларды тек жұмысы соған байланысты адамдар көреді. Ата-анаң да келісуі керек. Ойыңды өзгертсең, ата-анаңа немесе мұғаліміңе айт: біз тоқтатамыз.'),
    ('kk', 'registry', 'Тегі, аты, әкесінің аты, туған күні, тілі, өңірі, мектебі мен сыныбы тізілімде сақталады. Онсыз тіркелу мүмкін емес. Деректер оқушы жобаға қатысып жүргенде сақталады.'),
    ('kk', 'sitting', 'Оқушы жобалардың тестілеріне қатысады, жауаптары мен нәтижесі сақталады. Нәтижені оқушы, ата-анасы және жобаны жүргізетін адамдар көреді.'),
    ('kk', 'camera', 'Тест кезінде құрылғының камерасы кейде сурет түсіреді, оны адам қарайды. Бет танылмайды, эмоция талданбайды. Суреттер 90 күннен кейін өшіріледі. Келіспесе, оқушы тестіні бақылаушысы бар сыныпта тапсырады, бұл нәтижеге әсер етпейді.'),
    ('kk', 'talents', 'Нәтижесі жоғары болса, оқушының аты «Дарындар» бөлімінде тұрады. Оны арнайы рұқсаты бар мамандар ғана көреді, мысалы, үйірмеге немесе жазғы мектепке шақыру үшін.'),
    ('kk', 'contact', 'Сабақ, тест және шақырулар туралы ата-анаға және оқушыға SMS немесе хат жіберіледі. Онда нәтиже де, кіруге арналған сілтеме де болмайды.'),
    ('kk', 'publication', 'Оқушының аты мен нәтижесі жеңімпаздар тізімінде жариялануы мүмкін. Келісім болмаса, тізімде аты-жөнінің орнына нөмірі тұрады.'),
    ('ru', 'whole', 'Платформа El Úmiti — общая система государственных проектов, которые находят и развивают способности детей. Данные хранятся в Казахстане, не продаются и не передаются для рекламы. Каждая цель отдельна: с одной можно согласиться, с другой — нет. Согласие можно отозвать в любое время: использование данных для этой цели прекращается сразу, а сами данные удаляются в течение 15 дней. Если хранить их требует апелляция или закон, мы скажем об этом прямо.'),
    ('ru', 'child', 'Мы храним твоё имя, день рождения, школу и класс. Это нужно, чтобы ты мог сдавать тесты, участвовать в занятиях и видеть свой результат. Их видят только те, кому это нужно по работе. Твои родители тоже должны согласиться. Если передумаешь, скажи родителям или учителю: мы остановимся.'),
    ('ru', 'registry', 'Фамилия, имя, отчество, дата рождения, язык, регион, школа и класс хранятся в реестре. Без этого регистрация невозможна. Данные хранятся, пока ученик участвует в проектах.'),
    ('ru', 'sitting', 'Ученик участвует в тестах проектов, его ответы и результаты сохраняются. Результат видят ученик, его родители и те, кто ведёт проект.'),
    ('ru', 'camera', 'Во время теста камера устройства иногда делает снимок, его смотрит человек. Лицо не распознаётся, эмоции не анализируются. Снимки удаляются через 90 дней. Если Вы не согласны, ученик сдаёт тест в классе с наблюдателем, и на результат это не влияет.'),
    ('ru', 'talents', 'При высоком результате имя ученика стоит в разделе «Таланты». Его видят только специалисты с особым доступом, например, чтобы пригласить в кружок или летнюю школу.'),
    ('ru', 'contact', 'О занятиях, тестах и приглашениях родителям и ученику приходят SMS или письма. В них нет ни результатов, ни ссылок для входа.'),
    ('ru', 'publication', 'Имя и результат ученика могут быть опубликованы в списке победителей. Без согласия вместо имени в списке стоит номер.'),
    ('en', 'whole', 'The El Úmiti platform is the common system of national projects that find and develop children''s abilities. Data are kept in Kazakhstan, are not sold and not given away for advertising. Each purpose stands apart: you may agree to one and not to another. A consent can be withdrawn at any time: use of the data for that purpose stops at once, and the data are erased within 15 days. If an appeal or a law demands that they are kept, we say so.'),
    ('en', 'child', 'We keep your name, birthday, school and class. They are needed so that you can sit tests, take part in lessons and see your result. Only people whose work needs them see them. Your parents have to agree too. If you change your mind, tell your parents or your teacher: we will stop.'),
    ('en', 'registry', 'Last name, first name, middle name, birth date, language, region, school and class are kept in the registry. Without this there is no registration. The data are kept as long as the pupil takes part in the projects.'),
    ('en', 'sitting', 'The pupil takes part in tests of the projects; answers and results are kept. The result is seen by the pupil, the parents and those who run the project.'),
    ('en', 'camera', 'During a test the device''s camera sometimes takes a picture, which a person looks at. No face is recognised, no emotion analysed. Pictures are erased after 90 days. If you do not agree, the pupil sits the test in a supervised room; the result does not suffer.'),
    ('en', 'talents', 'With a high result the pupil''s name stands in the section «Talents». Only specialists with special access see it, for example to invite to a club or a summer school.'),
    ('en', 'contact', 'SMS or letters about lessons, tests and invitations go to parents and pupil. They hold no result and no link that signs in.'),
    ('en', 'publication', 'The pupil''s name and result may be published in a list of winners. Without the consent a number stands there instead of the name.')
) as drafted (language, part, text);
