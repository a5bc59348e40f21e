-- 0053_participants_persons.sql
-- Why     A participant is a person of the registry, if one is known: his camera consent decides whether his pictures are
--         taken (SAFETY P6, R1), and the engine hears of a change within its next look.
-- Locks   participant: access exclusive for the catalogue, share row exclusive for the foreign key; consent: a trigger.
-- Time    milliseconds, and a scan of participant for the two indexes; gives up after 2 s of waiting for the lock.
-- Order   before the engine and the portal that read it. Older code ignores it; the link is made by the portal's daily jobs.
-- Back    drop the triggers, the functions, the view and the column.
set local lock_timeout = '2s';

alter table participant add column person_id bigint references person (id);
comment on column participant.person_id is
    'Whom of the registry he is; null: nobody known, or more than one. Linked at import, looked for again daily.';
create index participant_person on participant (person_id) where person_id is not null;
create index participant_unlinked on participant (sitting_id) where person_id is null;

create function link_participants(p_ids bigint[], p_keys text[]) returns int
    language plpgsql security definer set search_path = public, pg_temp as
$$
declare
    linked int;
begin
    with asked as (
        select p.id, p.external_id, p.school_id, p.birth_date, a.key
        from unnest(p_ids, p_keys) as a (id, key)
        join participant p on p.id = a.id and p.person_id is null
    ),
    by_number as (
        select a.id, x.id as person_id
        from asked a
        join person x on x.external_id = a.external_id
        where x.school_id = a.school_id and x.birth_date = a.birth_date and x.status = 'active'
    ),
    by_name as (
        select a.id, min(x.id) as person_id
        from asked a
        join person x on x.name_key = a.key and x.birth_date = a.birth_date
        where x.school_id = a.school_id and x.status = 'active'
        group by a.id
        having count(*) = 1
    )
    update participant p
    set person_id = coalesce(i.person_id, n.person_id)
    from asked a
    left join by_number i on i.id = a.id
    left join by_name n on n.id = a.id
    where p.id = a.id and coalesce(i.person_id, n.person_id) is not null;
    get diagnostics linked = row_count;
    return linked;
end
$$;
comment on function link_participants is
    'Says who a participant is: by the external id within the school, else by folded name, birth date and school if that is one. It tells nothing of the registry but how many it found.';
revoke all on function link_participants from public;
grant execute on function link_participants to elumiti_portal;

create view camera_consent as
    select c.person_id, max(coalesce((c.ends_on + 1)::timestamp at time zone 'Asia/Almaty', 'infinity')) as until
    from consent c
    where c.purpose = 'camera' and c.withdrawn_at is null
    group by c.person_id;
comment on view camera_consent is 'Until when somebody''s pictures may be taken: the engine and the ingest see this of consents, and no more.';
grant select on camera_consent to elumiti_engine, elumiti_proctoring, elumiti_portal;
grant execute on function consent_holds to elumiti_proctoring;
grant select (person_id) on participant to elumiti_engine;

create function camera_consent_changed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    -- Changes nothing but `changed_in`, by which engines follow participants.
    update participant set person_id = person_id where person_id in (new.person_id, old.person_id);
    return null;
end
$$;
revoke all on function camera_consent_changed from public;
create trigger camera_consent_given after insert on consent
    for each row when (new.purpose = 'camera') execute function camera_consent_changed();
create trigger camera_consent_changed after update on consent
    for each row when (new.purpose = 'camera') execute function camera_consent_changed();
