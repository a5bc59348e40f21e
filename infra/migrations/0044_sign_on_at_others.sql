-- 0044_sign_on_at_others.sql
-- Why     People sign in with an account that they have elsewhere (issue 5, SPEC L1): providers of OpenID Connect are data,
--         and an account of theirs is linked to a login of ours by issuer and subject alone (SAFETY P3).
-- Locks   staff_session: access exclusive for the catalogue; the new column is null.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the column, the function, the tables and the permissions' rows.
set local lock_timeout = '2s';

create table signon_provider (
    id int generated always as identity primary key,
    code text not null unique check (code ~ '^[a-z0-9-]{2,40}$'),
    name_kk text not null check (name_kk <> ''),
    name_ru text not null,
    name_en text not null,
    issuer text not null unique check (issuer <> ''),
    discovery text not null default '',
    client_id text not null check (client_id <> ''),
    client_secret bytea,
    scopes text not null default 'openid',
    response_mode text not null default '' check (response_mode in ('', 'form_post')),
    echoed text[] not null default '{}',
    projects text[] not null default '{}',
    is_on bool not null default false,
    place int not null default 0,
    made_at timestamptz not null default now()
);
comment on table signon_provider is 'Where else people may have an account that opens theirs here: Google, Apple, VK, eGov, any of OpenID Connect.';
comment on column signon_provider.discovery is 'Where its configuration is; empty: at the issuer, as the standard says.';
comment on column signon_provider.client_secret is 'Sealed with signon_key; null: a public client, by PKCE alone.';
comment on column signon_provider.response_mode is 'form_post: it answers by a form of the browser (Apple, once a name or e-mail is asked for).';
comment on column signon_provider.echoed is 'Parameters of its answer that its token endpoint wants back (VK ID: device_id).';
comment on column signon_provider.projects is 'Whose people it is for, by the word of the sign-in page; empty: everybody.';

create table signon_flow (
    state_hash bytea primary key,
    provider_id int not null references signon_provider (id) on delete cascade,
    browser_hash bytea not null,
    nonce text not null,
    verifier text not null,
    goes_to text not null,
    staff_id int references staff (id),
    made_at timestamptz not null default now(),
    ends_at timestamptz not null
);
comment on table signon_flow is 'Who is on the way to a provider and back; a row is deleted by its answer, so that none counts twice.';
comment on column signon_flow.browser_hash is 'Of the form token of the browser that began: another one''s answer is not taken.';
comment on column signon_flow.staff_id is 'Who links it to his account, having typed his password just before; null: a sign-in.';
create index signon_flow_ends on signon_flow (ends_at);

create table account_identity (
    id bigint generated always as identity primary key,
    staff_id int not null references staff (id),
    provider_id int not null references signon_provider (id),
    issuer text not null,
    subject text not null,
    shown text not null default '',
    linked_at timestamptz not null default now(),
    used_at timestamptz,
    unique (issuer, subject)
);
comment on table account_identity is 'An account elsewhere that opens a login here. Never made from an equal e-mail or phone (SAFETY P3).';
comment on column account_identity.shown is 'What its owner knows it by (the e-mail or name that the provider said); never compared with anything.';
create index account_identity_staff on account_identity (staff_id, id);

create table pending_identity (
    token_hash bytea primary key,
    provider_id int not null references signon_provider (id) on delete cascade,
    issuer text not null,
    subject text not null,
    shown text not null default '',
    email text not null default '',
    email_verified bool not null default false,
    full_name text not null default '',
    goes_to text not null default '/',
    ends_at timestamptz not null
);
comment on table pending_identity is 'A stranger''s account elsewhere, for a quarter of an hour, until he signs in or registers; the token is a cookie of his browser.';
comment on column pending_identity.email is 'To fill a form with; it proves nothing here.';
create index pending_identity_ends on pending_identity (ends_at);

-- A session that a provider opened ends with the link to it.
alter table staff_session add column identity_id bigint references account_identity (id) on delete cascade;
comment on column staff_session.identity_id is 'The account elsewhere that opened it; null: a password did. It opens nothing for the privileged.';
create index staff_session_identity on staff_session (identity_id) where identity_id is not null;

create function is_privileged(p_staff int, p_at timestamptz) returns boolean
    language sql stable parallel safe
    return exists (
        select 1 from staff_grant g
        where g.staff_id = p_staff and g.ends_at > p_at and g.asleep_at is null
            and not exists (
                select 1 from role_permission rp where rp.role = g.role and rp.permission = 'account.password-alone'));
comment on function is_privileged is 'Whether any awake grant, in whichever project, wants more than a password: then no provider opens the door.';

grant select, insert, update, delete on signon_provider, signon_flow, account_identity, pending_identity to elumiti_portal;
grant execute on function is_privileged to elumiti_portal;

insert into role_permission (role, permission) values
    ('super-admin', 'signon.edit'),
    ('system-admin', 'signon.edit');
