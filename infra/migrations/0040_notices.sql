-- 0040_notices.sql
-- Why     A person is told in the portal, and by mail if he wishes, what concerns him: an act that waits for him, a job
--         that ended, a role that ends, a sign-in from a new address (issue 5).
-- Locks   job: access exclusive for the catalogue, then every ended row is written once.
-- Time    milliseconds, and some for each thousand jobs; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that tells. Older code ignores the column and the tables.
-- Back    drop the tables and the column.
set local lock_timeout = '2s';

create table notice (
    id bigint generated always as identity primary key,
    staff_id int not null references staff (id),
    kind text not null,
    about text not null,
    filled jsonb not null default '{}',
    link text not null,
    made_at timestamptz not null default now(),
    read_at timestamptz,
    unique (staff_id, kind, about)
);
comment on column notice.about is 'What it is about (number of an act, a job, a grant): nobody is told the same twice.';
comment on column notice.filled is 'What fills the text; texts, days and moments stay untranslated until they are shown.';
create index notice_staff on notice (staff_id, id);
create index notice_about on notice (kind, about);
create index notice_unread on notice (staff_id) where read_at is null;

create table notice_wish (
    staff_id int not null references staff (id),
    kind text not null,
    mail boolean not null,
    primary key (staff_id, kind)
);
comment on table notice_wish is 'Who wants a kind by mail too, or not; without a row the kind''s own default holds.';

alter table post add column notice_id bigint references notice (id) on delete set null;
create index post_notice on post (notice_id) where notice_id is not null;

alter table job add column told_at timestamptz;
comment on column job.told_at is 'When its maker was told that it ended.';
update job set told_at = changed_at where state in ('done', 'failed');
create index job_untold on job (id) where told_at is null and state in ('done', 'failed');

grant select, insert, update, delete on notice, notice_wish to elumiti_portal;
