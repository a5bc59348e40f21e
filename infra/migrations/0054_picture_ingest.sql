-- 0054_picture_ingest.sql
-- Why     The ingest of pictures: who is refused from now on (a consent withdrawn, a child erased), what is held for an open
--         case, what the server's checks still have to look at (SPEC P1, P3; SAFETY R1, R3).
-- Locks   participant, consent: access exclusive for the catalogue; the new column is null and rewrites nothing.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   after 0053, before the ingest. Older code ignores them.
-- Back    drop the function, the tables and the indexes.
set local lock_timeout = '2s';

-- 0053 makes it; where that has run, this does nothing.
alter table participant add column if not exists person_id bigint references person (id);
create index consent_camera_withdrawn on consent (withdrawn_at) where purpose = 'camera' and withdrawn_at is not null;
create index if not exists participant_person on participant (person_id) where person_id is not null;

create table picture_erasure (
    id bigint generated always as identity primary key,
    sitting_id int not null references sitting (id),
    attempt_id bigint,
    reason text not null check (reason in ('asked', 'withdrawn', 'term')),
    asked_by text not null default '',
    asked_at timestamptz not null default now(),
    erased_at timestamptz
);
comment on table picture_erasure is 'Whose pictures nobody may read or send again (SAFETY R3). It stays: a key that comes back with a backup is dropped by it.';
comment on column picture_erasure.attempt_id is 'Null: the whole sitting, but for what is held.';
comment on column picture_erasure.erased_at is 'Keys, events and rows are gone; the bytes go with their segment and are noise until then.';
create unique index picture_erasure_of on picture_erasure (sitting_id, coalesce(attempt_id, 0));
create index picture_erasure_waiting on picture_erasure (id) where erased_at is null;

create table picture_hold (
    id bigint generated always as identity primary key,
    attempt_id bigint not null,
    sitting_id int not null references sitting (id),
    reason text not null check (reason <> ''),
    held_by text not null default '',
    held_at timestamptz not null default now(),
    released_at timestamptz
);
comment on table picture_hold is 'An open case or appeal holds the pictures of its own attempt beyond the term, and nobody else''s.';
create index picture_hold_open on picture_hold (sitting_id, attempt_id) where released_at is null;

create table picture_to_check (
    sitting_id int not null,
    attempt_id bigint not null,
    seq int not null,
    taken_ms bigint not null,
    put_at timestamptz not null default now()
);
comment on table picture_to_check is 'The sample that the server looks at again; a row lives for seconds.';
create index picture_to_check_order on picture_to_check (put_at);

create table watch_to_score (
    sitting_id int not null,
    attempt_id bigint not null,
    put_at timestamptz not null default now()
);
comment on table watch_to_score is 'Attempts with new events, whose score is to be worked out again; a row lives for seconds.';

create table picture_segment_sitting (
    segment_id uuid not null references picture_segment (id),
    sitting_id int not null references sitting (id),
    primary key (segment_id, sitting_id)
);
comment on table picture_segment_sitting is 'Whose pictures lie in a segment: it goes from the store when the last sitting has gone from here.';
create index picture_segment_sitting_of on picture_segment_sitting (sitting_id);

-- A row is touched with every picture, and never in a column that an index has.
alter table watch_score set (fillfactor = 70);

-- Who asks, learns no person and no consent: only which attempts of watched sittings may send nothing more.
create function pictures_refused() returns table (attempt bigint, sitting int, since timestamptz, held boolean)
    language plpgsql stable security definer set search_path = public, pg_temp as
$$
begin
    return query
        select p.id, p.sitting_id, max(c.withdrawn_at),
            -- An appeal or a law holds what the withdrawal would erase (0047), or an open case does.
            exists (
                select from erasure e
                where e.person_id = p.person_id and e.purpose = 'camera' and e.done_at is null
                    and e.held_until >= (now() at time zone 'Asia/Almaty')::date)
            or exists (select from picture_hold h where h.attempt_id = p.id and h.released_at is null)
        from consent c
        join participant p on p.person_id = c.person_id
        join sitting_watch w on w.sitting_id = p.sitting_id
        where c.purpose = 'camera' and c.withdrawn_at is not null and not consent_holds(p.person_id, 'camera')
        group by p.id, p.sitting_id, p.person_id
        union all
        select e.attempt_id, e.sitting_id, e.asked_at, false from picture_erasure e where e.attempt_id is not null;
end
$$;
revoke all on function pictures_refused from public;
grant execute on function pictures_refused to elumiti_proctoring;

-- A name is nothing that the ingest needs.
revoke select on participant from elumiti_proctoring;
grant select (id, sitting_id, school_id) on participant to elumiti_proctoring;
grant select on school, district, region to elumiti_proctoring;
grant select (attempt_id, device, epoch, agent) on attempt_device to elumiti_proctoring;
grant select, insert, update on picture_erasure to elumiti_proctoring;
grant select on picture_hold to elumiti_proctoring;
grant select, insert, delete on picture_to_check, watch_to_score, picture_segment_sitting to elumiti_proctoring;
-- Rows of these are taken with `for update skip locked`.
grant update on picture_to_check, watch_to_score to elumiti_proctoring;
grant select, insert on picture_erasure to elumiti_portal;
grant select, insert, update on picture_hold to elumiti_portal;
