-- 0041_audit_archive.sql
-- Why     The audit trail grows for ever. Records older than its term go into files of the object store; their hashes
--         stay, so that the chain holds across the border and a published head of long ago can still be compared.
-- Locks   none: new objects, and a function's row in the catalogue.
-- Time    milliseconds.
-- Order   before the portal whose worker archives. Older code checks the chain by the new function.
-- Back    read the files' rows back into audit as its owner; the function of 0002.
create table audit_term (
    only_row boolean primary key default true check (only_row),
    keep interval not null check (keep >= interval '1 year')
);
comment on table audit_term is 'How long records stay in the table. Changed by the owner alone, and never below a year: no running process can make the trail short.';
insert into audit_term (keep) values (interval '5 years');

create table audit_file (
    id int generated always as identity primary key,
    first_id bigint not null,
    last_id bigint not null unique,
    first_at timestamptz not null,
    last_at timestamptz not null,
    records int not null check (records > 0),
    object_key text not null,
    sha256 bytea not null,
    archived_at timestamptz not null default now()
);
comment on table audit_file is 'Files of records that left the table; together with audit_archived they are checked as the table is.';

create table audit_archived (
    id bigint primary key,
    hash bytea not null,
    file_id int not null references audit_file (id)
);
comment on table audit_archived is 'The fingerprint of each record that left: 50 bytes in place of the record.';
create index audit_archived_file on audit_archived (file_id, id);

-- The very text that the trigger takes the fingerprint of.
create function audit_canonical(a audit) returns text
    language sql stable set search_path = public, pg_temp as
$$
    select jsonb_build_array(
        a.id, extract(epoch from a.at), a.staff_id, a.acting_as, a.address, a.act,
        a.object_kind, a.object_id, a.before, a.after, a.reason)::text
$$;

create function audit_movable(most int) returns bigint
    language sql stable security definer set search_path = public, pg_temp as
$$
    select max(id)
    from (
        select id from audit
        where id < coalesce((select min(id) from audit where at >= now() - (select keep from audit_term)), 9223372036854775807)
        order by id
        limit most) movable
$$;
comment on function audit_movable is 'The last of the oldest records that are all beyond the term; null: there is none.';

-- The one way out of the table, for the beginning of it alone, and only beyond the term.
create function audit_move(upto bigint, object_key text, sha256 bytea) returns int
    language plpgsql security definer set search_path = public, pg_temp as
$$
declare
    made int;
    moved int;
begin
    lock table audit_file in share row exclusive mode;
    if not exists (select from audit where id = upto) or exists (
        select from audit where id <= upto and at >= now() - (select keep from audit_term)) then
        raise exception 'records up to % are not all beyond the term', upto using errcode = 'check_violation';
    end if;
    if audit_broken_at() is not null then
        raise exception 'the chain does not hold' using errcode = 'check_violation';
    end if;
    insert into audit_file (first_id, last_id, first_at, last_at, records, object_key, sha256)
    select min(a.id), max(a.id), min(a.at), max(a.at), count(*), audit_move.object_key, audit_move.sha256
    from audit a
    where a.id <= upto
    returning id into made;
    insert into audit_archived (id, hash, file_id) select a.id, a.hash, made from audit a where a.id <= upto;
    delete from audit where id <= upto;
    get diagnostics moved = row_count;
    return moved;
end
$$;

create or replace function audit_broken_at() returns bigint
    language sql stable security definer set search_path = public, pg_temp as
$$
    with chained as (
        select id, previous_hash, hash,
               lag(hash, 1, coalesce(
                   (select hash from audit_archived order by id desc limit 1),
                   decode(repeat('00', 32), 'hex'))) over (order by id) as expected_previous,
               sha256(previous_hash || convert_to(jsonb_build_array(
                   id, extract(epoch from at), staff_id, acting_as, address, act,
                   object_kind, object_id, before, after, reason)::text, 'UTF8')) as expected
        from audit
    )
    select min(id) from chained where previous_hash <> expected_previous or hash <> expected
$$;

revoke execute on function audit_movable, audit_move from public;
grant execute on function audit_movable, audit_move to elumiti_portal;
grant select on audit_term, audit_file, audit_archived to elumiti_portal;
