-- 0039_post.sql
-- Why     Mail and SMS go out by way of a table, so that what an act says is said once and survives a server that is
--         away; staff have a proven e-mail and reset their own password by it (issue 5).
-- Locks   staff: access exclusive for the catalogue only; no column is filled in.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that sends. Older code ignores the columns and tables.
-- Back    drop the tables; leave the columns.
set local lock_timeout = '2s';

alter table staff
    add column email text,
    add column email_proven_at timestamptz,
    add column phone text not null default '',
    add constraint staff_email_proven check ((email is null) = (email_proven_at is null));
comment on column staff.email is 'Only ever a proven one: who owns the mailbox opened our link while signed in. Lower case.';
comment on column staff.phone is 'As +77001234567; empty: none. For colleagues, not proven.';
create unique index staff_email on staff (email);

create table staff_link (
    token_hash bytea primary key,
    staff_id int not null references staff (id),
    purpose text not null check (purpose in ('email', 'password')),
    email text not null,
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    used_at timestamptz
);
comment on table staff_link is 'Links in mail, each good for one use. The link itself is made from a seed in post and a key outside the database.';
create index staff_link_staff on staff_link (staff_id, purpose, made_at);

create table reset_ask (
    id bigint generated always as identity primary key,
    typed text not null,
    address text not null,
    at timestamptz not null default now(),
    done_at timestamptz
);
comment on table reset_ask is 'Who forgot a password: the page writes this row and nothing else, whether there is such a login or not.';
comment on column reset_ask.typed is 'Emptied when it is done: a person in a hurry types his password there.';
create index reset_ask_open on reset_ask (id) where done_at is null;
create index reset_ask_address on reset_ask (address, at);

create table post (
    id bigint generated always as identity primary key,
    made_at timestamptz not null default now(),
    staff_id int references staff (id),
    channel text not null check (channel in ('mail', 'sms')),
    address text not null,
    kind text not null,
    language text not null check (language in ('kk', 'ru', 'en')),
    filled jsonb not null default '{}',
    state text not null default 'queued' check (state in ('queued', 'sent', 'failed', 'given_up')),
    tries smallint not null default 0,
    next_at timestamptz not null default now(),
    ends_at timestamptz,
    sent_at timestamptz,
    said text not null default ''
);
comment on table post is 'The outbox: written in the transaction of the act that says something, sent by the worker.';
comment on column post.next_at is 'When it is tried next; pushed ahead while a worker has it in hand, so that a worker that dies loses nothing.';
comment on column post.ends_at is 'What is not sent by then is not worth sending (a link that is over).';
comment on column post.said is 'What the other server said to the newest try.';
create index post_due on post (next_at, id) where state in ('queued', 'failed');
create index post_staff on post (staff_id, id);

grant select, insert, update, delete on staff_link, reset_ask, post to elumiti_portal;

insert into role_permission (role, permission, at_rest)
values
    ('super-admin', 'post.view', true),
    ('super-admin', 'post.resend', false),
    ('system-admin', 'post.view', false),
    ('system-admin', 'post.resend', false)
on conflict do nothing;
