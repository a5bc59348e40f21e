-- 0045_openid_provider.sql
-- Why     Other systems of El Úmiti sign their people in here (SPEC X2): we are a provider of OpenID Connect, with single
--         sign-on and a sign-out that reaches each of them.
-- Locks   staff_session: access exclusive for the catalogue (a column that is null, a trigger).
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   after 0044, before the portal that reads them. Older code ignores them.
-- Back    drop the trigger, the function, the column and the tables.
set local lock_timeout = '2s';

create table oauth_key (
    kid text primary key,
    sealed bytea not null,
    public jsonb not null,
    made_at timestamptz not null default now()
);
comment on table oauth_key is 'What our ID tokens are signed with (RS256, which every client must know): the newest signs, older ones are published until nothing they signed holds.';
comment on column oauth_key.sealed is 'The private half, sealed with signon_key.';

create table oauth_client (
    id int generated always as identity primary key,
    client_id text not null unique,
    name_kk text not null check (name_kk <> ''),
    name_ru text not null,
    name_en text not null,
    project text references project (code),
    redirect_uris text[] not null check (cardinality(redirect_uris) > 0),
    logout_uris text[] not null default '{}',
    backchannel_uri text not null default '',
    scopes text[] not null,
    secret_hash bytea,
    is_own bool not null default false,
    is_on bool not null default true,
    made_at timestamptz not null default now(),
    made_by int references staff (id)
);
comment on table oauth_client is 'Systems that sign their people in here.';
comment on column oauth_client.redirect_uris is 'Compared letter by letter.';
comment on column oauth_client.secret_hash is 'SHA-256 of a drawn secret of 256 bits; null: a public client, by PKCE alone.';
comment on column oauth_client.is_own is 'The house''s own system: nobody is asked whether it may know him.';

create table oauth_subject (
    staff_id int not null references staff (id),
    client_id int not null references oauth_client (id),
    subject text not null unique,
    primary key (staff_id, client_id)
);
comment on table oauth_subject is 'What a system knows a person by: drawn, another one for each system, so that two of them cannot join their lists.';

create table oauth_consent (
    staff_id int not null references staff (id),
    client_id int not null references oauth_client (id),
    scopes text[] not null,
    given_at timestamptz not null default now(),
    primary key (staff_id, client_id)
);
comment on table oauth_consent is 'What a person let a system know of him.';

create table oauth_login (
    id bigint generated always as identity primary key,
    session bytea not null,
    client_id int not null references oauth_client (id),
    staff_id int not null references staff (id),
    sid text not null unique,
    made_at timestamptz not null default now(),
    unique (session, client_id)
);
comment on table oauth_login is 'A session of ours at a system. It ends with the session (trigger of staff_session), and its tokens with it.';

create table oauth_code (
    id bigint generated always as identity primary key,
    code_hash bytea not null unique,
    login_id bigint not null references oauth_login (id) on delete cascade,
    redirect_uri text not null,
    scopes text[] not null,
    nonce text not null,
    challenge text not null,
    auth_time timestamptz not null,
    ends_at timestamptz not null,
    used_at timestamptz
);
comment on table oauth_code is 'An authorisation, from its code on. A code or refresh token that comes twice deletes the row and so all its tokens.';
create index oauth_code_login on oauth_code (login_id);

create table oauth_token (
    token_hash bytea primary key,
    code_id bigint not null references oauth_code (id) on delete cascade,
    kind text not null check (kind in ('access', 'refresh')),
    ends_at timestamptz not null,
    used_at timestamptz
);
create index oauth_token_code on oauth_token (code_id);
comment on table oauth_token is 'Tokens that a system holds; the token itself is known to it alone.';

create table oauth_logout (
    id bigint generated always as identity primary key,
    client_id int not null references oauth_client (id),
    subject text not null,
    sid text not null,
    made_at timestamptz not null default now(),
    state text not null default 'queued' check (state in ('queued', 'sent', 'given_up')),
    tries smallint not null default 0,
    next_at timestamptz not null default now(),
    said text not null default ''
);
comment on table oauth_logout is 'Systems that have yet to hear that a session ended (OpenID Connect Back-Channel Logout 1.0).';
create index oauth_logout_due on oauth_logout (next_at, id) where state = 'queued';

alter table staff_session add column proven_at timestamptz;
comment on column staff_session.proven_at is 'When the password was typed once more in it; null: not since it began.';

create function oauth_session_ended() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    insert into oauth_logout (client_id, subject, sid)
    select l.client_id, s.subject, l.sid
    from oauth_login l
    join oauth_client c on c.id = l.client_id and c.backchannel_uri <> ''
    join oauth_subject s on s.staff_id = l.staff_id and s.client_id = l.client_id
    where l.session = old.key_hash
    order by l.id;
    delete from oauth_login where session = old.key_hash;
    return null;
end
$$;
comment on function oauth_session_ended is 'However a session ends, its systems are told and its tokens are gone.';
create trigger oauth_session_ended after delete on staff_session
    for each row execute function oauth_session_ended();

grant select, insert, update, delete on oauth_key, oauth_client, oauth_subject, oauth_consent, oauth_login, oauth_code,
    oauth_token, oauth_logout to elumiti_portal;
