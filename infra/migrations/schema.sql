CREATE SCHEMA keys;

CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

CREATE FUNCTION public.audit_broken_at() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    staff_id integer,
    acting_as text NOT NULL,
    address text NOT NULL,
    act text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    before jsonb,
    after jsonb,
    reason text DEFAULT ''::text NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION public.audit_canonical(a public.audit) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
    select jsonb_build_array(
        a.id, extract(epoch from a.at), a.staff_id, a.acting_as, a.address, a.act,
        a.object_kind, a.object_id, a.before, a.after, a.reason)::text
$$;

CREATE FUNCTION public.audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    select last_id + 1, hash into new.id, new.previous_hash from audit_head where only_row for update;
    new.hash := sha256(new.previous_hash || convert_to(jsonb_build_array(
        new.id, extract(epoch from new.at), new.staff_id, new.acting_as, new.address, new.act,
        new.object_kind, new.object_id, new.before, new.after, new.reason)::text, 'UTF8'));
    update audit_head set last_id = new.id, hash = new.hash where only_row;
    return new;
end
$$;

CREATE FUNCTION public.audit_movable(most integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    select max(id)
    from (
        select id from audit
        where id < coalesce((select min(id) from audit where at >= now() - (select keep from audit_term)), 9223372036854775807)
        order by id
        limit most) movable
$$;

CREATE FUNCTION public.audit_move(upto bigint, object_key text, sha256 bytea) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.camera_consent_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    -- Changes nothing but `changed_in`, by which engines follow participants.
    update participant set person_id = person_id where person_id in (new.person_id, old.person_id);
    return null;
end
$$;

CREATE TABLE public.consent (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    purpose text NOT NULL,
    given_by text NOT NULL,
    relation text NOT NULL,
    text_version text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    third_parties text DEFAULT ''::text NOT NULL,
    given_on date NOT NULL,
    ends_on date,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    recorded_by integer,
    withdrawn_at timestamp with time zone,
    withdrawn_by integer,
    withdrawn_note text DEFAULT ''::text NOT NULL,
    child_agreed boolean DEFAULT false NOT NULL,
    CONSTRAINT consent_channel_check CHECK ((channel = ANY (ARRAY['paper'::text, 'sms'::text, 'egov'::text]))),
    CONSTRAINT consent_check CHECK (((ends_on IS NULL) OR (ends_on >= given_on))),
    CONSTRAINT consent_given_by_check CHECK ((given_by <> ''::text)),
    CONSTRAINT consent_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT consent_purpose_check CHECK ((purpose = ANY (ARRAY['registry'::text, 'sitting'::text, 'camera'::text, 'talents'::text, 'contact'::text, 'publication'::text]))),
    CONSTRAINT consent_relation_check CHECK ((relation = ANY (ARRAY['mother'::text, 'father'::text, 'guardian'::text, 'self'::text]))),
    CONSTRAINT consent_text_version_check CHECK ((text_version <> ''::text)),
    CONSTRAINT consent_withdrawn_by CHECK (((withdrawn_by IS NULL) OR (withdrawn_at IS NOT NULL)))
);

CREATE FUNCTION public.consent_holds(p_person bigint, p_purpose text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT 1
            FROM public.consent c
           WHERE ((c.person_id = consent_holds.p_person) AND (c.purpose = consent_holds.p_purpose) AND (c.withdrawn_at IS NULL) AND ((c.ends_on IS NULL) OR (c.ends_on >= ((now() AT TIME ZONE 'Asia/Almaty'::text))::date))))) AS "exists";
END;

CREATE FUNCTION public.flag_twins(p_ids bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    -- What no longer holds after a change of name, birth date or IIN.
    delete from person_twin where state = 'open' and (first_id = any (p_ids) or second_id = any (p_ids));
    insert into person_twin (first_id, second_id, same_name, same_iin)
    select first_id, second_id, bool_or(name), bool_or(iin)
    from (
        select least(a.id, b.id) as first_id, greatest(a.id, b.id) as second_id, true as name, false as iin
        from unnest(p_ids) as asked (id)
        join person a on a.id = asked.id and a.status <> 'merged'
        join person b on b.name_key = a.name_key and b.birth_date = a.birth_date and b.id <> a.id and b.status <> 'merged'
        union all
        select least(i.person_id, j.person_id), greatest(i.person_id, j.person_id), false, true
        from unnest(p_ids) as asked (id)
        join person_iin i on i.person_id = asked.id
        join person_iin j on j.blind = i.blind and j.person_id <> i.person_id
        join person a on a.id = i.person_id and a.status <> 'merged'
        join person b on b.id = j.person_id and b.status <> 'merged'
    ) as pairs
    group by first_id, second_id
    on conflict (first_id, second_id) do nothing;
end
$$;

CREATE FUNCTION public.give_room_codes(p_form integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_nestloop TO 'off'
    AS $$
declare
    given integer;
begin
    perform pg_advisory_xact_lock(1919905645, p_form);
    with wanting as (
        select r.id, row_number() over (order by r.id) as place
        from room r
        join sitting s on s.id = r.sitting_id
        where p_form in (s.form_id, s.reserve_form_id)
            and not exists (
                select 1 from room_code c where c.form_id = p_form and c.room_id = r.id and c.closed_at is null)
    ), spare as (
        select number, row_number() over (order by number) as place
        from room_code
        where form_id = p_form and room_id is null and closed_at is null
    )
    update room_code c
    set room_id = w.id, changed_in = pg_current_xact_id()
    from wanting w
    join spare f using (place)
    where c.form_id = p_form and c.number = f.number;
    get diagnostics given = row_count;
    return given;
end
$$;

CREATE FUNCTION public.grant_told() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    subject uuid;
begin
    update staff set changed_at = now() where id = new.staff_id returning public_id into subject;
    if not is_privileged(new.staff_id) then
        perform tell_hooks(
            case when new.project is null then (select array_agg(code) from project) else array[new.project] end,
            'user.roles', subject::text);
    end if;
    return null;
end
$$;

CREATE TABLE public.role_permission (
    role text NOT NULL,
    permission text NOT NULL,
    at_rest boolean DEFAULT false NOT NULL
);

CREATE TABLE public.staff_grant (
    id integer NOT NULL,
    staff_id integer NOT NULL,
    role text NOT NULL,
    project text,
    region_code text,
    school_id integer,
    given_by integer,
    given_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    district_id integer,
    class_name text DEFAULT ''::text NOT NULL,
    own_pupils boolean DEFAULT false NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    asleep_at timestamp with time zone,
    CONSTRAINT staff_grant_class CHECK (((class_name = ''::text) OR ((school_id IS NOT NULL) AND (NOT own_pupils)))),
    CONSTRAINT staff_grant_one_place CHECK ((num_nonnulls(region_code, district_id, school_id) <= 1))
);

CREATE FUNCTION public.is_privileged(p_staff integer) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (EXISTS (SELECT FROM public.staff_grant g WHERE ((g.staff_id = is_privileged.p_staff) AND (g.ends_at > now()) AND (NOT (EXISTS (SELECT FROM public.role_permission rp WHERE ((rp.role = g.role) AND (rp.permission = 'account.password-alone'::text))))))));

CREATE FUNCTION public.is_privileged(p_staff integer, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (EXISTS (SELECT 1 FROM public.staff_grant g WHERE ((g.staff_id = is_privileged.p_staff) AND (g.ends_at > is_privileged.p_at) AND (g.asleep_at IS NULL) AND (NOT (EXISTS (SELECT 1 FROM public.role_permission rp WHERE ((rp.role = g.role) AND (rp.permission = 'account.password-alone'::text))))))));

CREATE FUNCTION public.kk(t text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (translate(lower(t), 'аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя'::text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghij'::text) COLLATE "C");

CREATE FUNCTION public.link_participants(p_ids bigint[], p_keys text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE TABLE public.participant (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    school_id integer NOT NULL,
    last_name text NOT NULL,
    first_name text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    birth_date date NOT NULL,
    gender text,
    grade smallint NOT NULL,
    class_letter text DEFAULT ''::text NOT NULL,
    language text NOT NULL,
    extra_minutes smallint DEFAULT 0 NOT NULL,
    external_id text NOT NULL,
    code_hash bytea,
    code_version smallint DEFAULT 0 NOT NULL,
    birth_misses smallint DEFAULT 0 NOT NULL,
    locked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    search_name text GENERATED ALWAYS AS (lower(((((last_name || ' '::text) || first_name) || ' '::text) || middle_name))) STORED NOT NULL,
    sort_name text GENERATED ALWAYS AS (public.kk(((last_name || ' '::text) || first_name))) STORED NOT NULL,
    import_job bigint,
    devices_freed_at timestamp with time zone,
    room_id integer,
    person_id bigint,
    CONSTRAINT participant_extra_minutes_check CHECK (((extra_minutes >= 0) AND (extra_minutes <= 240))),
    CONSTRAINT participant_gender_check CHECK ((gender = ANY (ARRAY['f'::text, 'm'::text]))),
    CONSTRAINT participant_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text])))
);

CREATE TABLE public.picture_erasure (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    attempt_id bigint,
    reason text NOT NULL,
    asked_by text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT picture_erasure_reason_check CHECK ((reason = ANY (ARRAY['asked'::text, 'withdrawn'::text, 'term'::text])))
);

CREATE TABLE public.sitting_watch (
    sitting_id integer NOT NULL,
    every_s smallint DEFAULT 30 NOT NULL,
    most_bytes integer DEFAULT 12288 NOT NULL,
    identity boolean DEFAULT true NOT NULL,
    screen boolean DEFAULT false NOT NULL,
    keep_days smallint DEFAULT 90 NOT NULL,
    rules jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT sitting_watch_every_s_check CHECK (((every_s >= 5) AND (every_s <= 300))),
    CONSTRAINT sitting_watch_keep_days_check CHECK (((keep_days >= 1) AND (keep_days <= 365))),
    CONSTRAINT sitting_watch_most_bytes_check CHECK (((most_bytes >= 4096) AND (most_bytes <= 65536)))
);

CREATE FUNCTION public.live_allowed(attempt bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM (public.participant p
              JOIN public.sitting_watch w ON ((w.sitting_id = p.sitting_id)))
           WHERE ((p.id = live_allowed.attempt) AND public.consent_holds(p.person_id, 'camera'::text) AND (NOT (EXISTS ( SELECT
                    FROM public.picture_erasure e
                   WHERE ((e.sitting_id = p.sitting_id) AND ((e.attempt_id = p.id) OR (e.attempt_id IS NULL))))))))) AS "exists";
END;

CREATE FUNCTION public.make_sitting_partition(sitting integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    execute format(
        'create table if not exists response_event_%s partition of response_event for values in (%s)
         with (autovacuum_vacuum_insert_scale_factor = 0.5)', sitting, sitting);
end
$$;

CREATE FUNCTION public.make_watch_partition(sitting integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    perform pg_advisory_xact_lock(hashtext('watch_partition'), sitting);
    execute format('create table if not exists picture_%s partition of picture for values in (%s)', sitting, sitting);
    execute format('create index if not exists picture_%s_attempt on picture_%s (attempt_id, taken_ms, seq)', sitting, sitting);
    execute format('create table if not exists watch_event_%s partition of watch_event for values in (%s)', sitting, sitting);
    execute format('create index if not exists watch_event_%s_attempt on watch_event_%s (attempt_id, at_ms, seq)', sitting, sitting);
end
$$;

CREATE FUNCTION public.tie_holds(since date, until date) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((since <= ((now() AT TIME ZONE 'Asia/Almaty'::text))::date) AND ((until IS NULL) OR (until >= ((now() AT TIME ZONE 'Asia/Almaty'::text))::date)));

CREATE TABLE public.person (
    id bigint NOT NULL,
    external_id text,
    last_name text NOT NULL,
    first_name text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    name_key text NOT NULL,
    search_key text NOT NULL,
    sort_name text GENERATED ALWAYS AS (public.kk(((last_name || ' '::text) || first_name))) STORED NOT NULL,
    birth_date date NOT NULL,
    sex text,
    language text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    photo_key text,
    status text DEFAULT 'active'::text NOT NULL,
    merged_into bigint,
    region_code text NOT NULL,
    district_id integer,
    school_id integer,
    grade smallint,
    class_letter text DEFAULT ''::text NOT NULL,
    projects text[] DEFAULT '{}'::text[] NOT NULL,
    import_job bigint,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT person_check CHECK (((status = 'merged'::text) = (merged_into IS NOT NULL))),
    CONSTRAINT person_external_id_check CHECK ((external_id <> ''::text)),
    CONSTRAINT person_grade_check CHECK (((grade >= 0) AND (grade <= 12))),
    CONSTRAINT person_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT person_sex_check CHECK ((sex = ANY (ARRAY['f'::text, 'm'::text]))),
    CONSTRAINT person_status_check CHECK ((status = ANY (ARRAY['active'::text, 'archived'::text, 'merged'::text, 'erased'::text])))
);

CREATE TABLE public.person_tie (
    id bigint NOT NULL,
    holder_id bigint NOT NULL,
    attached_id bigint NOT NULL,
    kind text NOT NULL,
    project text,
    since date NOT NULL,
    until date,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_by integer,
    ended_at timestamp with time zone,
    CONSTRAINT person_tie_check CHECK ((holder_id <> attached_id)),
    CONSTRAINT person_tie_check1 CHECK (((until IS NULL) OR (until >= since))),
    CONSTRAINT person_tie_kind_check CHECK ((kind = ANY (ARRAY['teacher'::text, 'tutor'::text, 'assistant'::text, 'specialist'::text, 'coordinator'::text, 'parent'::text, 'guardian'::text])))
);

CREATE FUNCTION public.members_of(p_parts jsonb) RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT m.id), '{}'::bigint[]) AS "coalesce"
    FROM (jsonb_to_recordset(members_of.p_parts) part(attached_to bigint, project text, region text, schools integer[], class_name text)
      CROSS JOIN LATERAL ( SELECT p.id
            FROM public.person p
           WHERE ((part.attached_to IS NULL) AND (p.school_id = ANY (part.schools)) AND (((p.grade)::text || upper(p.class_letter)) = part.class_name))
         UNION ALL
          SELECT p.id
            FROM (public.person_tie t
              JOIN public.person p ON ((p.id = t.attached_id)))
           WHERE ((part.attached_to IS NOT NULL) AND (t.holder_id = part.attached_to) AND (t.ended_at IS NULL) AND public.tie_holds(t.since, t.until) AND (t.kind <> ALL (ARRAY['parent'::text, 'guardian'::text])) AND ((t.project IS NULL) OR (part.project IS NULL) OR (t.project = part.project)) AND ((part.region IS NULL) OR (p.region_code = part.region)) AND ((part.schools IS NULL) OR (p.school_id = ANY (part.schools))))) m);
END;

CREATE FUNCTION public.oauth_session_ended() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.open_watch_case(attempt bigint, sitting integer, reason text, staff integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    insert into watch_case (attempt_id, sitting_id, why, opened_by) values (attempt, sitting, reason, staff)
    on conflict (attempt_id) do nothing;
    if found then
        insert into picture_hold (attempt_id, sitting_id, reason, held_by) values (attempt, sitting, 'case', staff::text);
    end if;
end
$$;

CREATE FUNCTION public.participant_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.changed_in := pg_current_xact_id();
    return new;
end
$$;

CREATE FUNCTION public.scope_country() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE((current_setting('elumiti.country'::text, true) = 'on'::text), false);

CREATE FUNCTION public.scope_members() RETURNS bigint[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(NULLIF(current_setting('elumiti.members'::text, true), ''::text), '{}'::text))::bigint[];

CREATE FUNCTION public.scope_person() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('elumiti.person'::text, true), ''::text))::bigint;

CREATE FUNCTION public.scope_regions() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(NULLIF(current_setting('elumiti.regions'::text, true), ''::text), '{}'::text))::text[];

CREATE FUNCTION public.scope_schools() RETURNS integer[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(NULLIF(current_setting('elumiti.schools'::text, true), ''::text), '{}'::text))::integer[];

CREATE TABLE public.attempt (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    signed_in_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    finish_device uuid,
    reopened_at timestamp with time zone,
    restarted_at timestamp with time zone
);

CREATE TABLE public.exclusion (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    excluded boolean NOT NULL,
    asked_by integer NOT NULL,
    agreed_by integer NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT exclusion_check CHECK ((asked_by <> agreed_by)),
    CONSTRAINT exclusion_reason_check CHECK ((reason = ANY (ARRAY['other-person'::text, 'outside-help'::text, 'saw-questions'::text, 'not-entitled'::text, 'own-wish'::text, 'trial'::text])))
);

CREATE TABLE public.result (
    attempt_id bigint NOT NULL,
    run_id bigint NOT NULL,
    raw numeric(8,2) NOT NULL,
    max_points numeric(8,2) NOT NULL,
    scaled numeric(6,2),
    percentile numeric(6,2)
);

CREATE TABLE public.sitting (
    id integer NOT NULL,
    project text DEFAULT 'myn-bala'::text NOT NULL,
    test_id integer NOT NULL,
    form_id integer NOT NULL,
    reserve_form_id integer,
    title jsonb NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    waiting_opens_at timestamp with time zone NOT NULL,
    last_entry_at timestamp with time zone NOT NULL,
    duration_s integer NOT NULL,
    ends_at timestamp with time zone,
    grace_s integer DEFAULT 120 NOT NULL,
    spread_s integer DEFAULT 60 NOT NULL,
    late_policy text DEFAULT 'person'::text NOT NULL,
    place text DEFAULT 'home'::text NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    help_name text DEFAULT ''::text NOT NULL,
    help_phone text DEFAULT ''::text NOT NULL,
    control_version integer DEFAULT 0 NOT NULL,
    demo_speed real DEFAULT 1 NOT NULL,
    rehearsed_at timestamp with time zone,
    published_at timestamp with time zone,
    closed_at timestamp with time zone,
    created_by integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    demo_reference timestamp with time zone,
    CONSTRAINT sitting_check CHECK (((waiting_opens_at <= starts_at) AND (starts_at < last_entry_at))),
    CONSTRAINT sitting_check1 CHECK (((ends_at IS NULL) OR (ends_at >= last_entry_at))),
    CONSTRAINT sitting_duration_s_check CHECK (((duration_s >= 60) AND (duration_s <= 28800))),
    CONSTRAINT sitting_grace_s_check CHECK (((grace_s >= 0) AND (grace_s <= 3600))),
    CONSTRAINT sitting_late_policy_check CHECK ((late_policy = ANY (ARRAY['count'::text, 'person'::text, 'refuse'::text]))),
    CONSTRAINT sitting_place_check CHECK ((place = ANY (ARRAY['home'::text, 'hall'::text]))),
    CONSTRAINT sitting_spread_s_check CHECK (((spread_s >= 0) AND (spread_s <= 90))),
    CONSTRAINT sitting_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'published'::text, 'closed'::text, 'archived'::text])))
);

CREATE TABLE public.talent_unmatched (
    participant_id bigint NOT NULL,
    rule_id integer NOT NULL,
    sitting_id integer NOT NULL,
    region_code text NOT NULL,
    school_id integer NOT NULL,
    why text NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    person_id bigint,
    decided_by integer,
    decided_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT talent_unmatched_check CHECK (((decided_at IS NULL) = (decided_by IS NULL))),
    CONSTRAINT talent_unmatched_check1 CHECK (((person_id IS NULL) OR (decided_at IS NOT NULL))),
    CONSTRAINT talent_unmatched_why_check CHECK ((why = ANY (ARRAY['none'::text, 'several'::text])))
);

CREATE FUNCTION public.participations_of(p_person bigint) RETURNS TABLE(attempt_id bigint, sitting_id integer, title jsonb, project text, starts_at timestamp with time zone, grade smallint, started_at timestamp with time zone, finished_at timestamp with time zone, raw numeric, max_points numeric, scaled numeric, percentile numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT pt.id,
     s.id,
     s.title,
     s.project,
     s.starts_at,
     pt.grade,
     at.started_at,
     at.finished_at,
     r.raw,
     r.max_points,
     r.scaled,
     r.percentile
    FROM (((((public.person a
      JOIN public.participant pt ON ((pt.birth_date = a.birth_date)))
      JOIN public.sitting s ON (((s.id = pt.sitting_id) AND (s.state <> 'draft'::text))))
      LEFT JOIN public.attempt at ON ((at.id = pt.id)))
      LEFT JOIN public.result r ON (((r.attempt_id = pt.id) AND (NOT (EXISTS ( SELECT
            FROM public.exclusion e
           WHERE ((e.attempt_id = pt.id) AND e.excluded)))))))
      LEFT JOIN public.talent_unmatched u ON (((u.participant_id = pt.id) AND (u.decided_at IS NOT NULL))))
   WHERE ((a.id = participations_of.p_person) AND (a.status <> 'merged'::text) AND (public.scope_country() OR (a.region_code = ANY (public.scope_regions())) OR (a.school_id = ANY (public.scope_schools())) OR (a.id = ANY (public.scope_members())) OR (a.id = public.scope_person())) AND
         CASE
             WHEN (u.participant_id IS NOT NULL) THEN (NOT (u.person_id IS DISTINCT FROM a.id))
             WHEN ((a.external_id IS NOT NULL) AND (pt.external_id = a.external_id)) THEN ((pt.school_id = a.school_id) OR ((lower(pt.last_name) = lower(a.last_name)) AND (lower(pt.first_name) = lower(a.first_name))))
             ELSE ((pt.school_id = a.school_id) AND (lower(pt.last_name) = lower(a.last_name)) AND (lower(pt.first_name) = lower(a.first_name)) AND (NOT (EXISTS ( SELECT
                FROM public.person q
               WHERE ((q.name_key = a.name_key) AND (q.birth_date = a.birth_date) AND (q.school_id = a.school_id) AND (q.id <> a.id) AND (q.status = 'active'::text))))))
         END)
   ORDER BY s.starts_at DESC, pt.id DESC
  LIMIT 200;
END;

CREATE FUNCTION public.person_found(p_patterns text[], p_filter jsonb, p_most integer, p_order text) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET jit TO 'off'
    SET work_mem TO '32MB'
    AS $$
declare
    wanted text := '';
    pattern text;
    sorted constant text := case p_order
        when 'name' then 'sort_name, id'
        when '-name' then 'sort_name desc, id desc'
        when 'born' then 'birth_date, id'
        when '-born' then 'birth_date desc, id desc'
        when 'class' then 'grade, class_letter, sort_name, id'
        when '-class' then 'grade desc, class_letter desc, sort_name desc, id desc'
        when 'school' then 'school_id, grade, class_letter, sort_name, id'
        when '-school' then 'school_id desc, grade, class_letter, sort_name, id'
        when 'new' then 'id desc'
        when '-new' then 'id' end;
begin
    foreach pattern in array p_patterns loop
        wanted := wanted || format(' and p.search_key like %L', pattern);
    end loop;
    if not scope_country() then
        -- What is not told is not asked for: one place alone is one walk of an index.
        wanted := wanted || ' and (' || concat_ws(' or ',
            case when scope_regions() <> '{}' then format('p.region_code = any (%L::text[])', scope_regions()::text) end,
            case when scope_schools() <> '{}' then format('p.school_id = any (%L::int[])', scope_schools()::text) end,
            case when scope_members() <> '{}' or (scope_regions() = '{}' and scope_schools() = '{}')
                then format('p.id = any (%L::bigint[])', scope_members()::text) end) || ')';
    end if;
    if p_filter ? 'status' then wanted := wanted || format(' and p.status = %L', p_filter ->> 'status'); end if;
    if p_filter ? 'region' then wanted := wanted || format(' and p.region_code = %L', p_filter ->> 'region'); end if;
    if p_filter ? 'district' then wanted := wanted || format(' and p.district_id = %L::int', p_filter ->> 'district'); end if;
    if p_filter ? 'school' then wanted := wanted || format(' and p.school_id = %L::int', p_filter ->> 'school'); end if;
    if p_filter ? 'grade' then wanted := wanted || format(' and p.grade = %L::smallint', p_filter ->> 'grade'); end if;
    if p_filter ? 'letter' then wanted := wanted || format(' and p.class_letter = %L', p_filter ->> 'letter'); end if;
    if p_filter ? 'language' then wanted := wanted || format(' and p.language = %L', p_filter ->> 'language'); end if;
    if p_filter ? 'sex' then wanted := wanted || format(' and p.sex = %L', p_filter ->> 'sex'); end if;
    if p_filter ? 'project' then wanted := wanted || format(' and %L = any (p.projects)', p_filter ->> 'project'); end if;
    -- First the bound, then the order: sorting all of a common name would read a hundred thousand rows for one page.
    return query execute 'select f.id from (select p.* from person p where true' || wanted || ' limit ' || p_most
        || ') as f order by ' || sorted;
end
$$;

CREATE TABLE public.person_document (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    issuer text DEFAULT ''::text NOT NULL,
    issued_on date,
    language text NOT NULL,
    media text NOT NULL,
    size_bytes integer NOT NULL,
    object_key text,
    preview_key text,
    state text DEFAULT 'waits'::text NOT NULL,
    checked_at timestamp with time zone,
    note text DEFAULT ''::text NOT NULL,
    try_at timestamp with time zone DEFAULT now() NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    added_by integer NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_by integer,
    confirmed_at timestamp with time zone,
    CONSTRAINT person_document_check CHECK (((object_key IS NULL) = (state = 'refused'::text))),
    CONSTRAINT person_document_check1 CHECK (((confirmed_by IS NULL) = (confirmed_at IS NULL))),
    CONSTRAINT person_document_kind_check CHECK ((kind = ANY (ARRAY['diploma'::text, 'school-certificate'::text, 'course'::text, 'award'::text, 'language'::text, 'thanks'::text, 'reference'::text, 'other'::text]))),
    CONSTRAINT person_document_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text, 'other'::text]))),
    CONSTRAINT person_document_media_check CHECK ((media = ANY (ARRAY['application/pdf'::text, 'image/jpeg'::text, 'image/png'::text, 'image/webp'::text]))),
    CONSTRAINT person_document_state_check CHECK ((state = ANY (ARRAY['waits'::text, 'clean'::text, 'unchecked'::text, 'refused'::text]))),
    CONSTRAINT person_document_title_check CHECK ((title <> ''::text))
);

CREATE FUNCTION public.person_of_document(p_key text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT person_document.person_id
    FROM public.person_document
   WHERE (person_document.object_key = person_of_document.p_key);
END;

CREATE FUNCTION public.person_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if new.school_id is not null then
        select s.district_id into new.district_id from school s where s.id = new.school_id;
    end if;
    if new.district_id is not null then
        select d.region_code into new.region_code from district d where d.id = new.district_id;
    end if;
    return new;
end
$$;

CREATE FUNCTION public.person_projects() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    -- Only rows that differ: an import writes the right list itself, and a second version of each row costs its indexes.
    update person p
    set projects = n.projects
    from (
        select t.person_id, coalesce(array_agg(pp.project order by pp.project) filter (where pp.project is not null), '{}') as projects
        from (select distinct person_id from touched) t
        left join person_project pp on pp.person_id = t.person_id
        group by t.person_id
    ) n
    where p.id = n.person_id and p.projects is distinct from n.projects;
    return null;
end
$$;

CREATE TABLE public.staff (
    id integer NOT NULL,
    login text NOT NULL,
    full_name text NOT NULL,
    language text DEFAULT 'kk'::text NOT NULL,
    password_hash text NOT NULL,
    own_school_id integer,
    demo boolean DEFAULT false NOT NULL,
    failed_sign_ins smallint DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    email text,
    email_proven_at timestamp with time zone,
    phone text DEFAULT ''::text NOT NULL,
    person_id bigint,
    registered_at timestamp with time zone,
    phone_proven_at timestamp with time zone,
    public_id uuid DEFAULT gen_random_uuid() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT staff_email_proven CHECK (((email IS NULL) = (email_proven_at IS NULL))),
    CONSTRAINT staff_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT staff_login_check CHECK ((login = lower(login))),
    CONSTRAINT staff_phone_proven CHECK (((phone_proven_at IS NULL) OR (phone <> ''::text)))
);

CREATE FUNCTION public.persons_of_ones_own(staff integer) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.person_id
    FROM public.staff s
   WHERE ((s.id = persons_of_ones_own.staff) AND (s.person_id IS NOT NULL))
 UNION
  SELECT t.attached_id
    FROM (public.staff s
      JOIN public.person_tie t ON ((t.holder_id = s.person_id)))
   WHERE (s.id = persons_of_ones_own.staff);
END;

CREATE FUNCTION public.pictures_refused() RETURNS TABLE(attempt bigint, sitting integer, since timestamp with time zone, held boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE TABLE public.review (
    id bigint NOT NULL,
    author_id bigint NOT NULL,
    about_id bigint NOT NULL,
    kind text NOT NULL,
    project text NOT NULL,
    period text NOT NULL,
    stars smallint NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'waits'::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    decided_by integer,
    decided_at timestamp with time zone,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT review_check CHECK ((author_id <> about_id)),
    CONSTRAINT review_check1 CHECK (((state = 'waits'::text) = (decided_at IS NULL))),
    CONSTRAINT review_check2 CHECK (((state <> 'rejected'::text) OR (reason <> ''::text))),
    CONSTRAINT review_kind_check CHECK ((kind = ANY (ARRAY['teacher'::text, 'tutor'::text, 'assistant'::text, 'specialist'::text]))),
    CONSTRAINT review_period_check CHECK ((period ~ '^20[0-9]{2}-[12]$'::text)),
    CONSTRAINT review_stars_check CHECK (((stars >= 1) AND (stars <= 5))),
    CONSTRAINT review_state_check CHECK ((state = ANY (ARRAY['waits'::text, 'approved'::text, 'rejected'::text])))
);

CREATE FUNCTION public.reviews_of(p_about bigint) RETURNS TABLE(id bigint, kind text, project text, period text, stars smallint, body text, author text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT r.id,
     r.kind,
     r.project,
     r.period,
     r.stars,
     r.body,
         CASE
             WHEN (w.birth_date <= (((now() AT TIME ZONE 'Asia/Almaty'::text))::date - '18 years'::interval)) THEN concat_ws(' '::text, w.last_name, w.first_name)
             ELSE NULL::text
         END AS "case"
    FROM ((public.person a
      JOIN public.review r ON (((r.about_id = a.id) AND (r.state = 'approved'::text))))
      JOIN public.person w ON ((w.id = r.author_id)))
   WHERE ((a.id = reviews_of.p_about) AND (public.scope_country() OR (a.region_code = ANY (public.scope_regions())) OR (a.school_id = ANY (public.scope_schools())) OR (a.id = ANY (public.scope_members())) OR (a.id = public.scope_person())))
   ORDER BY r.period DESC, r.id DESC
  LIMIT 500;
END;

CREATE FUNCTION public.rooms_want_codes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    perform give_room_codes(form)
    from (
        select distinct form
        from made
        join sitting s on s.id = made.sitting_id
        cross join lateral (values (s.form_id), (s.reserve_form_id)) as f (form)
        where form is not null
    ) as forms
    -- One order for all who take the locks.
    order by form;
    return null;
end
$$;

CREATE FUNCTION public.school_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    update person set school_id = school_id where school_id = new.id;
    return null;
end
$$;

CREATE FUNCTION public.school_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if new.settlement_id is not null then
        select s.district_id into new.district_id from settlement s where s.id = new.settlement_id;
    end if;
    return new;
end
$$;

CREATE FUNCTION public.scope_login() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('elumiti.login'::text, true), ''::text))::integer;

CREATE FUNCTION public.set_photo(p_person bigint, p_key text) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 WITH before AS (
          SELECT p_1.id,
             p_1.photo_key
            FROM public.person p_1
           WHERE ((p_1.id = set_photo.p_person) AND (p_1.status <> 'merged'::text) AND (public.scope_country() OR (p_1.region_code = ANY (public.scope_regions())) OR (p_1.school_id = ANY (public.scope_schools())) OR (p_1.id = ANY (public.scope_members())) OR (p_1.id = public.scope_person())))
          FOR NO KEY UPDATE OF p_1
         )
  UPDATE public.person p SET photo_key = set_photo.p_key, changed_at = now()
    FROM before
   WHERE (p.id = before.id)
   RETURNING before.photo_key;
END;

CREATE FUNCTION public.settle_search() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ select gin_clean_pending_list('person_search') $$;

CREATE FUNCTION public.settlement_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    update school set district_id = new.district_id where settlement_id = new.id;
    return null;
end
$$;

CREATE FUNCTION public.sitting_is_watched() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    insert into sitting_review (sitting_id) values (new.sitting_id) on conflict do nothing;
    return null;
end
$$;

CREATE FUNCTION public.sitting_wants_codes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    perform give_room_codes(form)
    from (values (new.form_id), (new.reserve_form_id)) as f (form)
    where form is not null
    order by form;
    return null;
end
$$;

CREATE FUNCTION public.staff_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if (old.login, old.full_name, old.language, old.disabled_at) is distinct from (new.login, new.full_name, new.language, new.disabled_at) then
        new.changed_at := now();
    end if;
    return new;
end
$$;

CREATE FUNCTION public.staff_told() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    projects text[];
begin
    select array_agg(distinct coalesce(g.project, p.code)) into projects
    from staff_grant g join project p on g.project is null or p.code = g.project
    where g.staff_id = new.id;
    if projects is null or is_privileged(new.id) then
        return null;
    end if;
    if (old.login, old.full_name, old.language) is distinct from (new.login, new.full_name, new.language) then
        perform tell_hooks(projects, 'user.changed', new.public_id::text);
    end if;
    if (old.disabled_at is null) <> (new.disabled_at is null) then
        perform tell_hooks(projects, case when new.disabled_at is null then 'user.opened' else 'user.closed' end, new.public_id::text);
    end if;
    return null;
end
$$;

ALTER TABLE public.person ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.person_staging (
    job_id bigint NOT NULL,
    row_number integer NOT NULL,
    person_id bigint DEFAULT nextval('public.person_id_seq'::regclass) NOT NULL,
    external_id text,
    last_name text NOT NULL,
    first_name text NOT NULL,
    middle_name text NOT NULL,
    name_key text NOT NULL,
    search_key text NOT NULL,
    birth_date date NOT NULL,
    sex text,
    language text NOT NULL,
    phone text NOT NULL,
    email text NOT NULL,
    region_code text NOT NULL,
    district_id integer,
    school_id integer,
    grade smallint,
    class_letter text NOT NULL,
    project text,
    role text,
    attributes text NOT NULL,
    sealed bytea,
    blind bytea
);

CREATE FUNCTION public.staged_ids_taken(p_job bigint) RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.row_number
    FROM (public.person_staging s
      JOIN public.person p ON ((p.external_id = s.external_id)))
   WHERE (s.job_id = staged_ids_taken.p_job);
END;

CREATE TABLE public.person_iin (
    person_id bigint NOT NULL,
    sealed bytea NOT NULL,
    blind bytea NOT NULL
);

CREATE FUNCTION public.staged_twins(p_job bigint) RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.row_number
    FROM (public.person_staging s
      JOIN public.person p ON (((p.name_key = s.name_key) AND (p.birth_date = s.birth_date) AND (p.status <> 'merged'::text))))
   WHERE (s.job_id = staged_twins.p_job)
 UNION
  SELECT s.row_number
    FROM (public.person_staging s
      JOIN public.person_iin i ON ((i.blind = s.blind)))
   WHERE (s.job_id = staged_twins.p_job);
END;

CREATE FUNCTION public.talent_consent_withdrawn() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    -- In turn with a weighing, which takes the same lock: it brings nobody in whose withdrawal is under way.
    perform pg_advisory_xact_lock(hashtext('talent'));
    if not consent_holds(new.person_id, 'talents') then
        update talent set left_at = now(), left_why = 'consent' where person_id = new.person_id and left_at is null;
    end if;
    return null;
end
$$;

CREATE FUNCTION public.tell_hooks(p_projects text[], p_kind text, p_object text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    insert into webhook_delivery (webhook_id, event_id, kind, object_id)
    select w.id, e.id, p_kind, p_object
    from (select gen_random_uuid() as id) e, webhook w
    where w.off_at is null and p_kind = any (w.kinds) and w.project = any (p_projects)
    order by w.id
$$;

CREATE FUNCTION public.tie_names(p_person bigint) RETURNS TABLE(id bigint, person_id bigint, name text, holds boolean, kind text, project text, since date, until date, ended_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    BEGIN ATOMIC
 SELECT t.id,
     o.id,
     concat_ws(' '::text, o.last_name, o.first_name, NULLIF(o.middle_name, ''::text)) AS concat_ws,
     (t.holder_id = a.id),
     t.kind,
     t.project,
     t.since,
     t.until,
     t.ended_at
    FROM ((public.person a
      JOIN public.person_tie t ON (((t.attached_id = a.id) OR ((t.holder_id = a.id) AND (a.id = public.scope_person())))))
      JOIN public.person o ON ((o.id =
         CASE
             WHEN (t.holder_id = a.id) THEN t.attached_id
             ELSE t.holder_id
         END)))
   WHERE ((a.id = tie_names.p_person) AND (public.scope_country() OR (a.region_code = ANY (public.scope_regions())) OR (a.school_id = ANY (public.scope_schools())) OR (a.id = ANY (public.scope_members())) OR (a.id = public.scope_person())))
   ORDER BY (t.ended_at IS NOT NULL), o.sort_name, t.id;
END;

CREATE FUNCTION public.watch_verdict_said() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    agreed text;
begin
    if new.kind <> 'fine' then
        perform open_watch_case(new.attempt_id, new.sitting_id, new.kind, new.made_by);
    end if;
    -- In line: of two who speak at the same moment the second sees the first.
    perform from watch_case where attempt_id = new.attempt_id for update;
    if found and not exists (select from watch_ruling where attempt_id = new.attempt_id) then
        select kind into agreed from watch_verdict where attempt_id = new.attempt_id group by kind having count(*) >= 2;
        if found then
            insert into watch_ruling (attempt_id, sitting_id, kind) values (new.attempt_id, new.sitting_id, agreed);
            if agreed <> 'breach' then
                update picture_hold set released_at = now()
                where attempt_id = new.attempt_id and reason = 'case' and released_at is null;
            end if;
        end if;
    end if;
    return null;
end
$$;

CREATE TABLE keys.item_key (
    form_id integer NOT NULL,
    code text NOT NULL,
    rule jsonb NOT NULL,
    points numeric(6,2) NOT NULL,
    voided boolean DEFAULT false NOT NULL
);

CREATE TABLE public.account_identity (
    id bigint NOT NULL,
    staff_id integer NOT NULL,
    provider_id integer NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    shown text DEFAULT ''::text NOT NULL,
    linked_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE public.account_identity ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.account_identity_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.attempt_device (
    attempt_id bigint NOT NULL,
    device uuid NOT NULL,
    epoch smallint NOT NULL,
    first_seen_ms bigint NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    continues uuid,
    phone uuid
);

CREATE TABLE public.attempt_limit (
    attempt_id bigint NOT NULL,
    name text NOT NULL,
    first_ms bigint NOT NULL,
    newest_ms bigint NOT NULL,
    times integer NOT NULL,
    CONSTRAINT attempt_limit_name_check CHECK ((name = ANY (ARRAY['events'::text, 'bytes'::text, 'reports'::text, 're-entries'::text, 'saves'::text, 'poison'::text]))),
    CONSTRAINT attempt_limit_times_check CHECK ((times > 0))
);

CREATE TABLE public.attempt_pulse (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    last_received_ms bigint NOT NULL,
    answered smallint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.attribute_field (
    id integer NOT NULL,
    project text NOT NULL,
    code text NOT NULL,
    title jsonb NOT NULL,
    kind text NOT NULL,
    choices jsonb DEFAULT '[]'::jsonb NOT NULL,
    required boolean DEFAULT false NOT NULL,
    place integer DEFAULT 0 NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT attribute_field_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
    CONSTRAINT attribute_field_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'number'::text, 'date'::text, 'choice'::text, 'flag'::text]))),
    CONSTRAINT attribute_field_project_check CHECK ((project = ANY (ARRAY['myn-bala'::text, 'qabilet'::text, 'birge-oqy'::text])))
);

ALTER TABLE public.attribute_field ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.attribute_field_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_archived (
    id bigint NOT NULL,
    hash bytea NOT NULL,
    file_id integer NOT NULL
);

CREATE TABLE public.audit_file (
    id integer NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    records integer NOT NULL,
    object_key text NOT NULL,
    sha256 bytea NOT NULL,
    archived_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT audit_file_records_check CHECK ((records > 0))
);

ALTER TABLE public.audit_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_head (
    only_row boolean DEFAULT true NOT NULL,
    last_id bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_only_row_check CHECK (only_row)
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_term (
    only_row boolean DEFAULT true NOT NULL,
    keep interval NOT NULL,
    CONSTRAINT audit_term_keep_check CHECK ((keep >= '1 year'::interval)),
    CONSTRAINT audit_term_only_row_check CHECK (only_row)
);

CREATE VIEW public.camera_consent AS
 SELECT person_id,
    max(COALESCE((((ends_on + 1))::timestamp without time zone AT TIME ZONE 'Asia/Almaty'::text), 'infinity'::timestamp with time zone)) AS until
   FROM public.consent c
  WHERE ((purpose = 'camera'::text) AND (withdrawn_at IS NULL))
  GROUP BY person_id;

CREATE TABLE public.class_code (
    id integer NOT NULL,
    school_id integer NOT NULL,
    grade smallint NOT NULL,
    class_letter text NOT NULL,
    project text NOT NULL,
    role text NOT NULL,
    seed text NOT NULL,
    code_hash bytea NOT NULL,
    most_uses integer NOT NULL,
    uses integer DEFAULT 0 NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT class_code_check CHECK ((uses <= most_uses)),
    CONSTRAINT class_code_check1 CHECK ((ends_at <= (made_at + '15 days'::interval))),
    CONSTRAINT class_code_grade_check CHECK (((grade >= 0) AND (grade <= 12))),
    CONSTRAINT class_code_most_uses_check CHECK (((most_uses >= 1) AND (most_uses <= 60)))
);

ALTER TABLE public.class_code ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.class_code_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.consent_ask (
    id bigint NOT NULL,
    kind text NOT NULL,
    registration_id bigint,
    person_id bigint,
    first_name text NOT NULL,
    given_by text NOT NULL,
    relation text NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    language text NOT NULL,
    token_hash bytea NOT NULL,
    chosen text[] DEFAULT '{}'::text[] NOT NULL,
    version text DEFAULT ''::text NOT NULL,
    proof_id bigint,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    codes integer DEFAULT 0 NOT NULL,
    CONSTRAINT consent_ask_channel_check CHECK ((channel = ANY (ARRAY['mail'::text, 'sms'::text]))),
    CONSTRAINT consent_ask_kind_check CHECK ((kind = ANY (ARRAY['give'::text, 'withdraw'::text]))),
    CONSTRAINT consent_ask_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT consent_ask_relation_check CHECK ((relation = ANY (ARRAY['mother'::text, 'father'::text, 'guardian'::text, 'self'::text])))
);

ALTER TABLE public.consent_ask ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.consent_ask_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.consent ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.consent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.consent_text (
    id integer NOT NULL,
    version text CONSTRAINT consent_text_version_not_null1 NOT NULL,
    language text NOT NULL,
    part text NOT NULL,
    text text NOT NULL,
    draft boolean DEFAULT false NOT NULL,
    in_force_from date NOT NULL,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT consent_text_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT consent_text_part_check CHECK ((part = ANY (ARRAY['whole'::text, 'child'::text, 'registry'::text, 'sitting'::text, 'camera'::text, 'talents'::text, 'contact'::text, 'publication'::text]))),
    CONSTRAINT consent_text_text_check CHECK ((text <> ''::text)),
    CONSTRAINT consent_text_version_check1 CHECK ((version ~ '^[0-9A-Za-z.-]{1,40}$'::text))
);

ALTER TABLE public.consent_text ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.consent_text_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.control (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    scope text NOT NULL,
    scope_id text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    body jsonb DEFAULT '{}'::jsonb NOT NULL,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    relayed_at timestamp with time zone,
    CONSTRAINT control_scope_check CHECK ((scope = ANY (ARRAY['sitting'::text, 'region'::text, 'school'::text, 'attempt'::text])))
);

ALTER TABLE public.control ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.control_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.control_seen (
    attempt_id bigint NOT NULL,
    version integer NOT NULL,
    seen_ms bigint NOT NULL
);

CREATE TABLE public.credit (
    attempt_id bigint NOT NULL,
    leg smallint NOT NULL,
    sitting_id integer NOT NULL,
    clock_s integer NOT NULL,
    entry_s integer NOT NULL,
    lost_s integer NOT NULL,
    by_hand_s integer NOT NULL,
    capped boolean NOT NULL,
    parts jsonb NOT NULL,
    version integer NOT NULL,
    given_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.dead_letter (
    id bigint NOT NULL,
    stream bigint NOT NULL,
    id_ms bigint NOT NULL,
    id_seq bigint NOT NULL,
    attempt_id bigint,
    sqlstate text,
    reason text NOT NULL,
    payload bytea NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.dead_letter ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.device_hold (
    attempt_id bigint NOT NULL,
    first_ms bigint NOT NULL,
    newest_ms bigint NOT NULL,
    tries integer NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    kept uuid
);

CREATE TABLE public.district (
    id integer NOT NULL,
    region_code text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL
);

ALTER TABLE public.district ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.district_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erasure (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    purpose text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    held_as text,
    held_until date,
    held_reason text DEFAULT ''::text NOT NULL,
    held_by integer,
    done_at timestamp with time zone,
    outcome text,
    report jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT erasure_check CHECK ((due_at <= (asked_at + '15 days'::interval))),
    CONSTRAINT erasure_check1 CHECK ((num_nonnulls(held_as, held_until, held_by) = ANY (ARRAY[0, 3]))),
    CONSTRAINT erasure_check2 CHECK (((done_at IS NULL) = (outcome IS NULL))),
    CONSTRAINT erasure_held_as_check CHECK ((held_as = ANY (ARRAY['appeal'::text, 'law'::text]))),
    CONSTRAINT erasure_outcome_check CHECK ((outcome = ANY (ARRAY['erased'::text, 'renewed'::text]))),
    CONSTRAINT erasure_purpose_check CHECK ((purpose = ANY (ARRAY['registry'::text, 'sitting'::text, 'camera'::text, 'talents'::text, 'contact'::text, 'publication'::text])))
);

ALTER TABLE public.erasure ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erasure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.form (
    id integer NOT NULL,
    test_id integer NOT NULL,
    name text NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    burnt_at timestamp with time zone,
    CONSTRAINT form_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'sealed'::text, 'burnt'::text])))
);

ALTER TABLE public.form ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.form_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.form_item (
    form_id integer NOT NULL,
    code text NOT NULL,
    section smallint NOT NULL,
    "position" smallint NOT NULL,
    kind text NOT NULL,
    content jsonb NOT NULL,
    topic text NOT NULL,
    skill text NOT NULL
);

CREATE TABLE public.form_key (
    form_id integer NOT NULL,
    section smallint NOT NULL,
    language text NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE public.form_media (
    form_id integer NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL,
    bytes bytea NOT NULL
);

CREATE TABLE public.form_pack (
    form_id integer NOT NULL,
    manifest text NOT NULL,
    item_map jsonb NOT NULL,
    packed_at timestamp with time zone DEFAULT now() NOT NULL,
    room_blobs text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.form_section (
    form_id integer NOT NULL,
    number smallint NOT NULL,
    title jsonb NOT NULL
);

CREATE TABLE public.generation (
    only_row boolean DEFAULT true NOT NULL,
    number integer NOT NULL,
    CONSTRAINT generation_only_row_check CHECK (only_row)
);

CREATE TABLE public.incident (
    id integer NOT NULL,
    project text NOT NULL,
    text jsonb NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_by integer,
    CONSTRAINT incident_check CHECK ((ended_at >= began_at))
);

ALTER TABLE public.incident ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.item_ruling (
    sitting_id integer NOT NULL,
    form_id integer NOT NULL,
    code text NOT NULL,
    ruling text NOT NULL,
    rule jsonb,
    reason text NOT NULL,
    asked_by integer NOT NULL,
    agreed_by integer NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT item_ruling_check CHECK (((ruling = 'key'::text) = (rule IS NOT NULL))),
    CONSTRAINT item_ruling_check1 CHECK ((asked_by <> agreed_by)),
    CONSTRAINT item_ruling_ruling_check CHECK ((ruling = ANY (ARRAY['void'::text, 'key'::text, 'as-packed'::text])))
);

CREATE TABLE public.job (
    id bigint NOT NULL,
    kind text NOT NULL,
    sitting_id integer,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    result jsonb,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    told_at timestamp with time zone,
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text])))
);

ALTER TABLE public.job ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.key_challenge (
    challenge bytea NOT NULL,
    staff_id integer NOT NULL,
    purpose text NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT key_challenge_purpose_check CHECK ((purpose = ANY (ARRAY['register'::text, 'confirm'::text])))
);

CREATE TABLE public.kpi_entry (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    project text NOT NULL,
    measure text NOT NULL,
    day date NOT NULL,
    value numeric(10,2) NOT NULL,
    source text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT kpi_entry_check CHECK (((source = 'system'::text) = (made_by IS NULL))),
    CONSTRAINT kpi_entry_source_check CHECK ((source = ANY (ARRAY['system'::text, 'entered'::text, 'imported'::text]))),
    CONSTRAINT kpi_entry_value_check CHECK ((value >= (0)::numeric))
);

ALTER TABLE public.kpi_entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.kpi_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.kpi_known WITH (security_barrier='true') AS
 SELECT s.person_id,
    COALESCE(si.project, 'myn-bala'::text) AS project,
    known.measure,
    ((a.at AT TIME ZONE 'Asia/Almaty'::text))::date AS day,
    (count(*))::integer AS value
   FROM (((public.staff s
     JOIN public.audit a ON (((a.staff_id = s.id) AND (a.at > (now() - '40 days'::interval)))))
     JOIN ( VALUES ('sitting.sitting.published'::text,'sittings-published'::text), ('sitting.sitting.closed'::text,'sittings-closed'::text), ('slip.file.printed'::text,'slips-printed'::text), ('participant.import.taken'::text,'imports-taken'::text)) known(act, measure) ON ((known.act = a.act)))
     LEFT JOIN public.sitting si ON (((a.object_kind = 'sitting'::text) AND (a.object_id = (si.id)::text))))
  WHERE (s.person_id IS NOT NULL)
  GROUP BY s.person_id, COALESCE(si.project, 'myn-bala'::text), known.measure, (((a.at AT TIME ZONE 'Asia/Almaty'::text))::date);

CREATE TABLE public.kpi_measure (
    code text NOT NULL,
    project text,
    role text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    unit text NOT NULL,
    from_system boolean DEFAULT false NOT NULL,
    place smallint NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT kpi_measure_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,39}$'::text)),
    CONSTRAINT kpi_measure_unit_check CHECK ((unit = ANY (ARRAY['count'::text, 'percent'::text, 'hours'::text])))
);

CREATE TABLE public.machine_change (
    client_id integer NOT NULL,
    staff_id integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.machine_client (
    id integer NOT NULL,
    name text NOT NULL,
    project text NOT NULL,
    roles text[] DEFAULT '{}'::text[] NOT NULL,
    token_hash bytea,
    token_ends_at timestamp with time zone,
    used_at timestamp with time zone,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    stopped_at timestamp with time zone,
    stopped_why text DEFAULT ''::text NOT NULL,
    CONSTRAINT machine_client_check CHECK (((stopped_at IS NULL) = (stopped_why = ''::text))),
    CONSTRAINT machine_client_name_check CHECK ((name <> ''::text)),
    CONSTRAINT machine_client_stopped_why_check CHECK ((stopped_why = ANY (ARRAY[''::text, 'measure'::text, 'person'::text])))
);

ALTER TABLE public.machine_client ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.machine_client_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.machine_external (
    client_id integer NOT NULL,
    staff_id integer NOT NULL,
    external_id text NOT NULL,
    CONSTRAINT machine_external_external_id_check CHECK ((external_id <> ''::text))
);

CREATE TABLE public.machine_said (
    staff_id integer NOT NULL,
    display text,
    family text DEFAULT ''::text NOT NULL,
    given text DEFAULT ''::text NOT NULL,
    middle text DEFAULT ''::text NOT NULL,
    school_id integer
);

CREATE TABLE public.machine_shut (
    staff_id integer NOT NULL,
    client_id integer NOT NULL,
    shut_at timestamp with time zone NOT NULL
);

CREATE TABLE public.machine_user (
    staff_id integer NOT NULL,
    client_id integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    gone_at timestamp with time zone
);

CREATE TABLE public.migration (
    number integer NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.notice (
    id bigint NOT NULL,
    staff_id integer NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    filled jsonb DEFAULT '{}'::jsonb NOT NULL,
    link text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone
);

ALTER TABLE public.notice ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.notice_wish (
    staff_id integer NOT NULL,
    kind text NOT NULL,
    mail boolean NOT NULL
);

CREATE TABLE public.oauth_client (
    id integer NOT NULL,
    client_id text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    project text,
    redirect_uris text[] NOT NULL,
    logout_uris text[] DEFAULT '{}'::text[] NOT NULL,
    backchannel_uri text DEFAULT ''::text NOT NULL,
    scopes text[] NOT NULL,
    secret_hash bytea,
    is_own boolean DEFAULT false NOT NULL,
    is_on boolean DEFAULT true NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    made_by integer,
    CONSTRAINT oauth_client_name_kk_check CHECK ((name_kk <> ''::text)),
    CONSTRAINT oauth_client_redirect_uris_check CHECK ((cardinality(redirect_uris) > 0))
);

ALTER TABLE public.oauth_client ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.oauth_client_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.oauth_code (
    id bigint NOT NULL,
    code_hash bytea NOT NULL,
    login_id bigint NOT NULL,
    redirect_uri text NOT NULL,
    scopes text[] NOT NULL,
    nonce text NOT NULL,
    challenge text NOT NULL,
    auth_time timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE public.oauth_code ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.oauth_code_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.oauth_consent (
    staff_id integer NOT NULL,
    client_id integer NOT NULL,
    scopes text[] NOT NULL,
    given_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.oauth_key (
    kid text NOT NULL,
    sealed bytea NOT NULL,
    public jsonb NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.oauth_login (
    id bigint NOT NULL,
    session bytea NOT NULL,
    client_id integer NOT NULL,
    staff_id integer NOT NULL,
    sid text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.oauth_login ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.oauth_login_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.oauth_logout (
    id bigint NOT NULL,
    client_id integer NOT NULL,
    subject text NOT NULL,
    sid text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    said text DEFAULT ''::text NOT NULL,
    CONSTRAINT oauth_logout_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'given_up'::text])))
);

ALTER TABLE public.oauth_logout ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.oauth_logout_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.oauth_subject (
    staff_id integer NOT NULL,
    client_id integer NOT NULL,
    subject text NOT NULL
);

CREATE TABLE public.oauth_token (
    token_hash bytea NOT NULL,
    code_id bigint NOT NULL,
    kind text NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT oauth_token_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'refresh'::text])))
);

CREATE TABLE public.object_let_go (
    key text NOT NULL,
    erase_at timestamp with time zone NOT NULL
);

CREATE TABLE public.outage (
    id bigint NOT NULL,
    step text NOT NULL,
    began_ms bigint NOT NULL,
    ended_ms bigint NOT NULL,
    is_over boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outage_check CHECK ((ended_ms >= began_ms)),
    CONSTRAINT outage_step_check CHECK ((step = ANY (ARRAY['page'::text, 'sign-in'::text, 'key'::text, 'resume'::text, 'save'::text, 'results'::text])))
);

ALTER TABLE public.outage ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outage_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.participant ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.participant_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.participant_staging (
    job_id bigint NOT NULL,
    row_number integer NOT NULL,
    school_id integer NOT NULL,
    last_name text NOT NULL,
    first_name text NOT NULL,
    middle_name text NOT NULL,
    birth_date date NOT NULL,
    gender text,
    grade smallint NOT NULL,
    class_letter text NOT NULL,
    language text NOT NULL,
    extra_minutes smallint NOT NULL,
    external_id text NOT NULL,
    room text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.pending_act (
    id bigint NOT NULL,
    sitting_id integer,
    act text NOT NULL,
    payload jsonb NOT NULL,
    before jsonb,
    after jsonb,
    reason text DEFAULT ''::text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_by integer,
    decided_at timestamp with time zone,
    state text DEFAULT 'waits'::text NOT NULL,
    waiver_id bigint,
    project text DEFAULT 'myn-bala'::text,
    CONSTRAINT pending_act_state_check CHECK ((state = ANY (ARRAY['waits'::text, 'done'::text, 'refused'::text, 'withdrawn'::text])))
);

ALTER TABLE public.pending_act ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pending_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pending_identity (
    token_hash bytea NOT NULL,
    provider_id integer NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    shown text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    email_verified boolean DEFAULT false NOT NULL,
    full_name text DEFAULT ''::text NOT NULL,
    goes_to text DEFAULT '/'::text NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

ALTER TABLE public.person_document ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.person_document_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.person_merge (
    id bigint NOT NULL,
    kept_id bigint NOT NULL,
    gone_id bigint NOT NULL,
    moved jsonb NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    undone_by integer,
    undone_at timestamp with time zone,
    CONSTRAINT person_merge_check CHECK ((kept_id <> gone_id))
);

ALTER TABLE public.person_merge ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.person_merge_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.person_project (
    person_id bigint NOT NULL,
    project text NOT NULL,
    role text NOT NULL,
    school_id integer,
    grade smallint,
    class_letter text DEFAULT ''::text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT person_project_grade_check CHECK (((grade >= 0) AND (grade <= 12))),
    CONSTRAINT person_project_project_check CHECK ((project = ANY (ARRAY['myn-bala'::text, 'qabilet'::text, 'birge-oqy'::text])))
);

ALTER TABLE public.person_tie ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.person_tie_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.person_twin (
    first_id bigint NOT NULL,
    second_id bigint NOT NULL,
    same_name boolean NOT NULL,
    same_iin boolean NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_by integer,
    decided_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT person_twin_check CHECK ((first_id < second_id)),
    CONSTRAINT person_twin_state_check CHECK ((state = ANY (ARRAY['open'::text, 'distinct'::text, 'merged'::text])))
);

CREATE TABLE public.picture (
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    taken_ms bigint NOT NULL,
    received_ms bigint NOT NULL,
    segment_id uuid CONSTRAINT picture_segment_id_not_null1 NOT NULL,
    byte_offset integer NOT NULL,
    byte_length integer NOT NULL,
    key_id bytea CONSTRAINT picture_key_id_not_null1 NOT NULL,
    sealed_at timestamp with time zone,
    checks jsonb,
    CONSTRAINT picture_kind_check CHECK ((kind = ANY (ARRAY['snapshot'::text, 'identity'::text, 'screen'::text])))
)
PARTITION BY LIST (sitting_id);

ALTER TABLE public.picture_erasure ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.picture_erasure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.picture_hold (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    reason text NOT NULL,
    held_by text DEFAULT ''::text NOT NULL,
    held_at timestamp with time zone DEFAULT now() NOT NULL,
    released_at timestamp with time zone,
    CONSTRAINT picture_hold_reason_check CHECK ((reason <> ''::text))
);

ALTER TABLE public.picture_hold ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.picture_hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.picture_key (
    id bytea NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT picture_key_id_check CHECK ((length(id) = 8))
);

CREATE TABLE public.picture_proof (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    attempt_id bigint,
    asked_by integer,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    checked_at timestamp with time zone,
    holds boolean,
    report jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE public.picture_proof ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.picture_proof_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.picture_seal (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    taken_ms bigint NOT NULL,
    sealed_by integer NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    decided_by integer,
    decided_at timestamp with time zone,
    words text DEFAULT ''::text NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT picture_seal_state_check CHECK ((state = ANY (ARRAY['open'::text, 'stays'::text, 'erase'::text, 'unsealed'::text])))
);

ALTER TABLE public.picture_seal ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.picture_seal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.picture_seal_look (
    id bigint NOT NULL,
    seal_id bigint NOT NULL,
    staff_id integer NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT picture_seal_look_reason_check CHECK ((reason <> ''::text))
);

ALTER TABLE public.picture_seal_look ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.picture_seal_look_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.picture_segment (
    id uuid NOT NULL,
    object_name text NOT NULL,
    size_bytes integer NOT NULL,
    pictures integer NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_at timestamp with time zone
);

CREATE TABLE public.picture_segment_sitting (
    segment_id uuid NOT NULL,
    sitting_id integer NOT NULL
);

CREATE TABLE public.picture_sitting_key (
    sitting_id integer NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.picture_to_check (
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    taken_ms bigint NOT NULL,
    put_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.post (
    id bigint NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    staff_id integer,
    channel text NOT NULL,
    address text NOT NULL,
    kind text NOT NULL,
    language text NOT NULL,
    filled jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone,
    sent_at timestamp with time zone,
    said text DEFAULT ''::text NOT NULL,
    notice_id bigint,
    person_id bigint,
    CONSTRAINT post_channel_check CHECK ((channel = ANY (ARRAY['mail'::text, 'sms'::text]))),
    CONSTRAINT post_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT post_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'given_up'::text])))
);

ALTER TABLE public.post ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.post_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.project (
    code text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    place smallint NOT NULL
);

CREATE TABLE public.project_module (
    project text NOT NULL,
    module text NOT NULL,
    is_on boolean NOT NULL
);

CREATE TABLE public.proof (
    id bigint NOT NULL,
    purpose text NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    place text NOT NULL,
    language text NOT NULL,
    token_hash bytea,
    seed text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    answered_at timestamp with time zone,
    ends_at timestamp with time zone NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    proven_at timestamp with time zone,
    used_at timestamp with time zone,
    CONSTRAINT proof_channel_check CHECK ((channel = ANY (ARRAY['mail'::text, 'sms'::text]))),
    CONSTRAINT proof_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT proof_purpose_check CHECK ((purpose = ANY (ARRAY['register'::text, 'sign'::text, 'withdraw'::text])))
);

ALTER TABLE public.proof ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.proof_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.quota_plan (
    sitting_id integer NOT NULL,
    places jsonb NOT NULL,
    tie_at_line text NOT NULL,
    from_home boolean NOT NULL,
    reason text NOT NULL,
    asked_by integer NOT NULL,
    agreed_by integer NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quota_plan_check CHECK ((asked_by <> agreed_by)),
    CONSTRAINT quota_plan_tie_at_line_check CHECK ((tie_at_line = ANY (ARRAY['all'::text, 'none'::text])))
);

CREATE TABLE public.reading (
    staff_id integer NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    count integer NOT NULL,
    CONSTRAINT reading_kind_check CHECK ((kind = ANY (ARRAY['card'::text, 'row'::text, 'export'::text, 'iin'::text, 'stop'::text])))
);

CREATE TABLE public.region (
    code text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE public.registration (
    id bigint NOT NULL,
    staff_id integer NOT NULL,
    way text NOT NULL,
    state text NOT NULL,
    project text NOT NULL,
    role text NOT NULL,
    last_name text NOT NULL,
    first_name text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    name_key text NOT NULL,
    birth_date date NOT NULL,
    language text NOT NULL,
    region_code text NOT NULL,
    school_id integer,
    grade smallint,
    class_letter text DEFAULT ''::text NOT NULL,
    class_code_id integer,
    person_id bigint,
    child_agreed_at timestamp with time zone,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT registration_check CHECK (((state = 'teacher'::text) <= (class_code_id IS NOT NULL))),
    CONSTRAINT registration_grade_check CHECK (((grade >= 0) AND (grade <= 12))),
    CONSTRAINT registration_language_check CHECK ((language = ANY (ARRAY['kk'::text, 'ru'::text, 'en'::text]))),
    CONSTRAINT registration_state_check CHECK ((state = ANY (ARRAY['teacher'::text, 'consent'::text]))),
    CONSTRAINT registration_way_check CHECK ((way = ANY (ARRAY['email'::text, 'phone'::text, 'code'::text])))
);

ALTER TABLE public.registration ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.registration_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.registration_miss (
    place text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.rescue_file (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    digest bytea NOT NULL,
    bytes bytea NOT NULL,
    taken_by integer,
    taken_at timestamp with time zone DEFAULT now() NOT NULL,
    report jsonb NOT NULL
);

ALTER TABLE public.rescue_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rescue_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reset_ask (
    id bigint NOT NULL,
    typed text NOT NULL,
    address text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    done_at timestamp with time zone
);

ALTER TABLE public.reset_ask ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reset_ask_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.response_conflict (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    device uuid NOT NULL,
    seq integer NOT NULL,
    kind smallint NOT NULL,
    item integer,
    value text,
    anchor_ms bigint,
    since_ms integer,
    received_ms bigint NOT NULL,
    marks smallint NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.response_conflict ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.response_conflict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.response_event (
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    device uuid NOT NULL,
    seq integer NOT NULL,
    kind smallint NOT NULL,
    item integer,
    value text,
    anchor_ms bigint,
    since_ms integer,
    received_ms bigint NOT NULL,
    marks smallint DEFAULT 0 NOT NULL
)
PARTITION BY LIST (sitting_id);

CREATE TABLE public.response_event_other (
    sitting_id integer CONSTRAINT response_event_sitting_id_not_null NOT NULL,
    attempt_id bigint CONSTRAINT response_event_attempt_id_not_null NOT NULL,
    device uuid CONSTRAINT response_event_device_not_null NOT NULL,
    seq integer CONSTRAINT response_event_seq_not_null NOT NULL,
    kind smallint CONSTRAINT response_event_kind_not_null NOT NULL,
    item integer,
    value text,
    anchor_ms bigint,
    since_ms integer,
    received_ms bigint CONSTRAINT response_event_received_ms_not_null NOT NULL,
    marks smallint DEFAULT 0 CONSTRAINT response_event_marks_not_null NOT NULL
);

CREATE TABLE public.result_run (
    run_id bigint NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.review ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.review_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.role (
    code text NOT NULL,
    kind text NOT NULL,
    project text,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    place smallint NOT NULL,
    raised boolean DEFAULT false NOT NULL,
    registers boolean DEFAULT false NOT NULL,
    teaches boolean DEFAULT false NOT NULL,
    CONSTRAINT role_check CHECK (((kind = 'project'::text) = (project IS NOT NULL))),
    CONSTRAINT role_code_check CHECK ((code ~ '^[a-z][a-z-]{1,39}$'::text)),
    CONSTRAINT role_kind_check CHECK ((kind = ANY (ARRAY['project'::text, 'working'::text, 'house'::text])))
);

CREATE TABLE public.room (
    id integer NOT NULL,
    sitting_id integer NOT NULL,
    school_id integer NOT NULL,
    name text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT room_name_check CHECK (((name <> ''::text) AND (length(name) <= 60)))
);

CREATE TABLE public.room_code (
    form_id integer NOT NULL,
    number integer NOT NULL,
    sealed bytea NOT NULL,
    blob text NOT NULL,
    room_id integer,
    closed_at timestamp with time zone,
    closed_reason text,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT room_code_check CHECK (((closed_at IS NULL) = (closed_reason IS NULL))),
    CONSTRAINT room_code_closed_reason_check CHECK ((closed_reason = 'opened-early'::text)),
    CONSTRAINT room_code_number_check CHECK ((number > 0))
);

CREATE TABLE public.room_code_open (
    form_id integer NOT NULL,
    number integer NOT NULL,
    code text NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.room ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.room_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.room_opening (
    attempt_id bigint NOT NULL,
    device uuid NOT NULL,
    seq integer NOT NULL,
    sitting_id integer NOT NULL,
    leg smallint NOT NULL,
    number integer NOT NULL,
    room_id integer,
    at_ms bigint NOT NULL,
    jump_ms bigint NOT NULL,
    anchor_ms bigint,
    since_ms integer NOT NULL,
    received_ms bigint NOT NULL,
    early text,
    foreign_number boolean DEFAULT false NOT NULL,
    CONSTRAINT room_opening_early_check CHECK ((early = ANY (ARRAY['received'::text, 'anchor'::text, 'told'::text])))
);

CREATE TABLE public.saved_view (
    id integer NOT NULL,
    staff_id integer NOT NULL,
    list text NOT NULL,
    name text NOT NULL,
    query text NOT NULL
);

ALTER TABLE public.saved_view ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.saved_view_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.school (
    id integer NOT NULL,
    district_id integer NOT NULL,
    code text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    contact_name text DEFAULT ''::text NOT NULL,
    contact_phone text DEFAULT ''::text NOT NULL,
    settlement_id integer,
    kind text DEFAULT 'school'::text NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT school_kind_check CHECK ((kind = ANY (ARRAY['school'::text, 'centre'::text])))
);

ALTER TABLE public.school ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.school_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.score_run (
    id bigint NOT NULL,
    sitting_id integer NOT NULL,
    version integer NOT NULL,
    parameters jsonb NOT NULL,
    snapshot_hash text NOT NULL,
    result_hash text NOT NULL,
    code_version text NOT NULL,
    summary jsonb NOT NULL,
    made_by integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone
);

ALTER TABLE public.score_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.score_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.seal (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    device uuid NOT NULL,
    finish_seq integer NOT NULL,
    digest bytea NOT NULL,
    code text NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    answered integer
);

CREATE TABLE public.setting (
    name text NOT NULL,
    value jsonb NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.settlement (
    id integer NOT NULL,
    district_id integer NOT NULL,
    kind text NOT NULL,
    kato text,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    CONSTRAINT settlement_kato_check CHECK ((kato ~ '^[0-9]{9}$'::text)),
    CONSTRAINT settlement_kind_check CHECK ((kind = ANY (ARRAY['city'::text, 'town'::text, 'village'::text]))),
    CONSTRAINT settlement_name_en_check CHECK ((name_en <> ''::text)),
    CONSTRAINT settlement_name_kk_check CHECK ((name_kk <> ''::text)),
    CONSTRAINT settlement_name_ru_check CHECK ((name_ru <> ''::text))
);

ALTER TABLE public.settlement ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.settlement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sign_in_address (
    staff_id integer NOT NULL,
    address text NOT NULL,
    misses integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    fitted_at timestamp with time zone,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.signon_flow (
    state_hash bytea NOT NULL,
    provider_id integer NOT NULL,
    browser_hash bytea NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    goes_to text NOT NULL,
    staff_id integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

CREATE TABLE public.signon_provider (
    id integer NOT NULL,
    code text NOT NULL,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    issuer text NOT NULL,
    discovery text DEFAULT ''::text NOT NULL,
    client_id text NOT NULL,
    client_secret bytea,
    scopes text DEFAULT 'openid'::text NOT NULL,
    response_mode text DEFAULT ''::text NOT NULL,
    echoed text[] DEFAULT '{}'::text[] NOT NULL,
    projects text[] DEFAULT '{}'::text[] NOT NULL,
    is_on boolean DEFAULT false NOT NULL,
    place integer DEFAULT 0 NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT signon_provider_client_id_check CHECK ((client_id <> ''::text)),
    CONSTRAINT signon_provider_code_check CHECK ((code ~ '^[a-z0-9-]{2,40}$'::text)),
    CONSTRAINT signon_provider_issuer_check CHECK ((issuer <> ''::text)),
    CONSTRAINT signon_provider_name_kk_check CHECK ((name_kk <> ''::text)),
    CONSTRAINT signon_provider_response_mode_check CHECK ((response_mode = ANY (ARRAY[''::text, 'form_post'::text])))
);

ALTER TABLE public.signon_provider ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.signon_provider_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.sitting ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sitting_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sitting_region (
    sitting_id integer NOT NULL,
    region_code text NOT NULL
);

CREATE TABLE public.sitting_review (
    sitting_id integer NOT NULL,
    sample_percent real DEFAULT 2 NOT NULL,
    appeal_days smallint DEFAULT 10 NOT NULL,
    seed text DEFAULT (gen_random_uuid())::text NOT NULL,
    CONSTRAINT sitting_review_appeal_days_check CHECK (((appeal_days >= 1) AND (appeal_days <= 90))),
    CONSTRAINT sitting_review_sample_percent_check CHECK (((sample_percent >= (0)::double precision) AND (sample_percent <= (100)::double precision)))
);

ALTER TABLE public.staff_grant ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.staff_grant_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.staff ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.staff_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.staff_key (
    id integer NOT NULL,
    staff_id integer NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE public.staff_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.staff_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.staff_link (
    token_hash bytea NOT NULL,
    staff_id integer NOT NULL,
    purpose text NOT NULL,
    email text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT staff_link_purpose_check CHECK ((purpose = ANY (ARRAY['email'::text, 'password'::text])))
);

CREATE TABLE public.staff_session (
    key_hash bytea NOT NULL,
    staff_id integer NOT NULL,
    csrf text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    project text DEFAULT 'myn-bala'::text NOT NULL,
    factor_at timestamp with time zone,
    raised_until timestamp with time zone,
    raised_reason text DEFAULT ''::text NOT NULL,
    seen_as jsonb,
    seen_until timestamp with time zone,
    identity_id bigint,
    proven_at timestamp with time zone,
    CONSTRAINT staff_session_raised CHECK (((raised_until IS NULL) OR (raised_reason <> ''::text)))
);

CREATE TABLE public.staff_totp (
    staff_id integer NOT NULL,
    secret bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    misses smallint DEFAULT 0 NOT NULL,
    rests_until timestamp with time zone
);

CREATE TABLE public.stream_position (
    stream bigint NOT NULL,
    id_ms bigint DEFAULT 0 NOT NULL,
    id_seq bigint DEFAULT 0 NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone,
    closed_at timestamp with time zone,
    trimmed_ms bigint DEFAULT 0 NOT NULL
);

ALTER TABLE public.stream_position ALTER COLUMN stream ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.stream_position_stream_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.talent (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    rule_id integer CONSTRAINT talent_rule_id_not_null1 NOT NULL,
    run_id bigint NOT NULL,
    reason jsonb NOT NULL,
    since timestamp with time zone NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    left_at timestamp with time zone,
    left_why text,
    CONSTRAINT talent_check CHECK (((left_at IS NULL) = (left_why IS NULL))),
    CONSTRAINT talent_left_why_check CHECK ((left_why = ANY (ARRAY['result'::text, 'rule'::text, 'consent'::text, 'renewed'::text])))
);

CREATE TABLE public.talent_access (
    id integer NOT NULL,
    staff_id integer NOT NULL,
    reason text NOT NULL,
    agreed_by integer NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by integer,
    CONSTRAINT talent_access_check CHECK ((agreed_by <> staff_id)),
    CONSTRAINT talent_access_check1 CHECK ((ends_at <= (began_at + '90 days'::interval))),
    CONSTRAINT talent_access_reason_check CHECK ((reason <> ''::text))
);

ALTER TABLE public.talent_access ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.talent_access_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.talent_copy (
    id integer NOT NULL,
    staff_id integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    form text NOT NULL,
    purpose text NOT NULL,
    filter jsonb NOT NULL,
    rows integer NOT NULL,
    CONSTRAINT talent_copy_form_check CHECK ((form = ANY (ARRAY['pdf'::text, 'xlsx'::text]))),
    CONSTRAINT talent_copy_purpose_check CHECK ((purpose <> ''::text))
);

ALTER TABLE public.talent_copy ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.talent_copy_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.talent ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.talent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.talent_rule (
    id integer NOT NULL,
    project text NOT NULL,
    kind text NOT NULL,
    title jsonb NOT NULL,
    sitting_id integer,
    share numeric,
    per text,
    percentile numeric,
    times integer,
    state text DEFAULT 'draft'::text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    agreed_by integer,
    switched_at timestamp with time zone,
    CONSTRAINT talent_rule_check CHECK (((state <> 'on'::text) OR ((agreed_by IS NOT NULL) AND (agreed_by <> made_by)))),
    CONSTRAINT talent_rule_check1 CHECK (
CASE kind
    WHEN 'top'::text THEN ((num_nonnulls(share, per) = 2) AND (num_nonnulls(percentile, times) = 0))
    ELSE ((num_nonnulls(percentile, times) = 2) AND (num_nonnulls(share, per, sitting_id) = 0))
END),
    CONSTRAINT talent_rule_kind_check CHECK ((kind = ANY (ARRAY['top'::text, 'often'::text]))),
    CONSTRAINT talent_rule_per_check CHECK ((per = ANY (ARRAY['region'::text, 'country'::text]))),
    CONSTRAINT talent_rule_percentile_check CHECK (((percentile >= (50)::numeric) AND (percentile < (100)::numeric))),
    CONSTRAINT talent_rule_share_check CHECK (((share > (0)::numeric) AND (share <= (50)::numeric))),
    CONSTRAINT talent_rule_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'on'::text, 'off'::text]))),
    CONSTRAINT talent_rule_times_check CHECK (((times >= 1) AND (times <= 20)))
);

ALTER TABLE public.talent_rule ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.talent_rule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.test (
    id integer NOT NULL,
    project text DEFAULT 'myn-bala'::text NOT NULL,
    code text NOT NULL,
    title jsonb NOT NULL,
    languages text[] DEFAULT '{kk,ru,en}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.test ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.test_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tried (
    attempt_id bigint NOT NULL,
    device uuid NOT NULL,
    seq integer NOT NULL,
    sitting_id integer NOT NULL,
    step text NOT NULL,
    from_ms bigint NOT NULL,
    until_ms bigint NOT NULL,
    weighed_at timestamp with time zone
);

CREATE TABLE public.waiting_decision (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    counts boolean NOT NULL,
    reason text NOT NULL,
    asked_by integer NOT NULL,
    agreed_by integer NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT waiting_decision_check CHECK ((asked_by <> agreed_by))
);

CREATE TABLE public.waived_review (
    act_id bigint NOT NULL,
    reviewed_by integer NOT NULL,
    reviewed_at timestamp with time zone DEFAULT now() NOT NULL,
    note text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.waiver (
    id bigint NOT NULL,
    project text NOT NULL,
    reason text NOT NULL,
    asked_by integer NOT NULL,
    agreed_by integer NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone DEFAULT (now() + '00:30:00'::interval) NOT NULL,
    ended_by integer,
    CONSTRAINT waiver_check CHECK ((asked_by <> agreed_by)),
    CONSTRAINT waiver_check1 CHECK ((ends_at <= (began_at + '00:30:00'::interval)))
);

ALTER TABLE public.waiver ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.waiver_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_act (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    over_at timestamp with time zone,
    sampled text,
    sampled_by integer,
    sampled_at timestamp with time zone,
    CONSTRAINT watch_act_check CHECK ((((sampled IS NULL) = (sampled_by IS NULL)) AND ((sampled IS NULL) = (sampled_at IS NULL)))),
    CONSTRAINT watch_act_check1 CHECK ((sampled_by <> made_by)),
    CONSTRAINT watch_act_kind_check CHECK ((kind = ANY (ARRAY['warn'::text, 'pause'::text]))),
    CONSTRAINT watch_act_sampled_check CHECK ((sampled = ANY (ARRAY['fine'::text, 'wrong'::text])))
);

ALTER TABLE public.watch_act ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_appeal (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    channel text NOT NULL,
    told_by text NOT NULL,
    words text NOT NULL,
    language text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    decided_by integer,
    decided_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT watch_appeal_channel_check CHECK ((channel = ANY (ARRAY['phone'::text, 'paper'::text, 'visit'::text]))),
    CONSTRAINT watch_appeal_check CHECK (((state = 'open'::text) = (decided_at IS NULL))),
    CONSTRAINT watch_appeal_state_check CHECK ((state = ANY (ARRAY['open'::text, 'upheld'::text, 'rejected'::text])))
);

ALTER TABLE public.watch_appeal ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_appeal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_case (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    why text NOT NULL,
    opened_by integer NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_case_why_check CHECK ((why = ANY (ARRAY['breach'::text, 'unclear'::text, 'opened'::text])))
);

CREATE TABLE public.watch_case_note (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    words text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_case_note_words_check CHECK ((words <> ''::text))
);

ALTER TABLE public.watch_case_note ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_case_note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_event (
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL,
    received_ms bigint NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY LIST (sitting_id);

CREATE TABLE public.watch_evidence (
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    taken_ms bigint NOT NULL,
    chosen_by integer NOT NULL,
    chosen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.watch_flood (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    left_out bigint NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_flood_left_out_check CHECK ((left_out > 0))
);

CREATE TABLE public.watch_hand (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    staff_id integer NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    fine_until timestamp with time zone
);

CREATE TABLE public.watch_live (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    staff_id integer NOT NULL,
    forwarder text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    waits_until timestamp with time zone NOT NULL,
    began_at timestamp with time zone,
    ends_at timestamp with time zone,
    ended_at timestamp with time zone,
    why text,
    CONSTRAINT watch_live_check CHECK (((ended_at IS NULL) = (why IS NULL))),
    CONSTRAINT watch_live_why_check CHECK ((why = ANY (ARRAY['proctor'::text, 'phone'::text, 'thin-line'::text, 'limit'::text, 'consent'::text, 'finished'::text, 'no-answer'::text, 'viewer-left'::text, 'phone-left'::text, 'lost'::text])))
);

ALTER TABLE public.watch_live ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_live_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_look (
    id bigint NOT NULL,
    staff_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    reason text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.watch_look ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_look_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_opening (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    staff_id integer NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_opening_reason_check CHECK ((reason <> ''::text))
);

ALTER TABLE public.watch_opening ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_opening_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_review_hand (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    staff_id integer NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.watch_ruling (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    kind text NOT NULL,
    appeal_id bigint,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_ruling_kind_check CHECK ((kind = ANY (ARRAY['fine'::text, 'unclear'::text, 'breach'::text])))
);

ALTER TABLE public.watch_ruling ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_ruling_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.watch_score (
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    score real NOT NULL,
    reasons jsonb NOT NULL,
    pictures integer DEFAULT 0 NOT NULL,
    last_picture_ms bigint,
    last_event_ms bigint,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.watch_to_score (
    sitting_id integer NOT NULL,
    attempt_id bigint NOT NULL,
    put_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.watch_verdict (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    sitting_id integer NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT watch_verdict_kind_check CHECK ((kind = ANY (ARRAY['fine'::text, 'unclear'::text, 'breach'::text])))
);

ALTER TABLE public.watch_verdict ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_verdict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhook (
    id integer NOT NULL,
    name text NOT NULL,
    project text NOT NULL,
    url text NOT NULL,
    kinds text[] NOT NULL,
    secret bytea NOT NULL,
    made_by integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    off_at timestamp with time zone,
    CONSTRAINT webhook_name_check CHECK ((name <> ''::text))
);

CREATE TABLE public.webhook_delivery (
    id bigint NOT NULL,
    webhook_id integer NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    object_id text NOT NULL,
    happened_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    said text DEFAULT ''::text NOT NULL,
    CONSTRAINT webhook_delivery_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'given_up'::text])))
);

ALTER TABLE public.webhook_delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.webhook ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.response_event ATTACH PARTITION public.response_event_other DEFAULT;

ALTER TABLE ONLY keys.item_key
    ADD CONSTRAINT item_key_pkey PRIMARY KEY (form_id, code);

ALTER TABLE ONLY public.account_identity
    ADD CONSTRAINT account_identity_issuer_subject_key UNIQUE (issuer, subject);

ALTER TABLE ONLY public.account_identity
    ADD CONSTRAINT account_identity_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempt_device
    ADD CONSTRAINT attempt_device_attempt_id_epoch_key UNIQUE (attempt_id, epoch);

ALTER TABLE ONLY public.attempt_device
    ADD CONSTRAINT attempt_device_pkey PRIMARY KEY (attempt_id, device);

ALTER TABLE ONLY public.attempt_limit
    ADD CONSTRAINT attempt_limit_pkey PRIMARY KEY (attempt_id, name);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempt_pulse
    ADD CONSTRAINT attempt_pulse_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.attribute_field
    ADD CONSTRAINT attribute_field_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attribute_field
    ADD CONSTRAINT attribute_field_project_code_key UNIQUE (project, code);

ALTER TABLE ONLY public.audit_archived
    ADD CONSTRAINT audit_archived_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_file
    ADD CONSTRAINT audit_file_last_id_key UNIQUE (last_id);

ALTER TABLE ONLY public.audit_file
    ADD CONSTRAINT audit_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_term
    ADD CONSTRAINT audit_term_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_code_hash_key UNIQUE (code_hash);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_ask
    ADD CONSTRAINT consent_ask_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_ask
    ADD CONSTRAINT consent_ask_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT consent_text_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT consent_text_version_language_part_key UNIQUE (version, language, part);

ALTER TABLE public.control
    ADD CONSTRAINT control_kind_check CHECK ((kind = ANY (ARRAY['message'::text, 'erratum'::text, 'extra'::text, 'pause'::text, 'resume'::text, 'end'::text, 'reopen'::text, 'stop'::text, 'restart'::text, 'credit'::text]))) NOT VALID;

ALTER TABLE ONLY public.control
    ADD CONSTRAINT control_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.control_seen
    ADD CONSTRAINT control_seen_pkey PRIMARY KEY (attempt_id, version);

ALTER TABLE ONLY public.control
    ADD CONSTRAINT control_sitting_id_version_key UNIQUE (sitting_id, version);

ALTER TABLE ONLY public.credit
    ADD CONSTRAINT credit_pkey PRIMARY KEY (attempt_id, leg);

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.device_hold
    ADD CONSTRAINT device_hold_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.district
    ADD CONSTRAINT district_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.district
    ADD CONSTRAINT district_region_code_name_kk_key UNIQUE (region_code, name_kk);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT exclusion_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.form_item
    ADD CONSTRAINT form_item_pkey PRIMARY KEY (form_id, code);

ALTER TABLE ONLY public.form_key
    ADD CONSTRAINT form_key_pkey PRIMARY KEY (form_id, section, language);

ALTER TABLE ONLY public.form_media
    ADD CONSTRAINT form_media_pkey PRIMARY KEY (form_id, name);

ALTER TABLE ONLY public.form_pack
    ADD CONSTRAINT form_pack_pkey PRIMARY KEY (form_id);

ALTER TABLE ONLY public.form
    ADD CONSTRAINT form_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.form_section
    ADD CONSTRAINT form_section_pkey PRIMARY KEY (form_id, number);

ALTER TABLE ONLY public.form
    ADD CONSTRAINT form_test_id_name_key UNIQUE (test_id, name);

ALTER TABLE ONLY public.generation
    ADD CONSTRAINT generation_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.item_ruling
    ADD CONSTRAINT item_ruling_pkey PRIMARY KEY (sitting_id, form_id, code);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.key_challenge
    ADD CONSTRAINT key_challenge_pkey PRIMARY KEY (challenge);

ALTER TABLE ONLY public.kpi_entry
    ADD CONSTRAINT kpi_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.kpi_measure
    ADD CONSTRAINT kpi_measure_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.machine_client
    ADD CONSTRAINT machine_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.machine_client
    ADD CONSTRAINT machine_client_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.machine_external
    ADD CONSTRAINT machine_external_pkey PRIMARY KEY (client_id, staff_id);

ALTER TABLE ONLY public.machine_said
    ADD CONSTRAINT machine_said_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.machine_shut
    ADD CONSTRAINT machine_shut_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.machine_user
    ADD CONSTRAINT machine_user_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_staff_id_kind_about_key UNIQUE (staff_id, kind, about);

ALTER TABLE ONLY public.notice_wish
    ADD CONSTRAINT notice_wish_pkey PRIMARY KEY (staff_id, kind);

ALTER TABLE ONLY public.oauth_client
    ADD CONSTRAINT oauth_client_client_id_key UNIQUE (client_id);

ALTER TABLE ONLY public.oauth_client
    ADD CONSTRAINT oauth_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.oauth_code
    ADD CONSTRAINT oauth_code_code_hash_key UNIQUE (code_hash);

ALTER TABLE ONLY public.oauth_code
    ADD CONSTRAINT oauth_code_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.oauth_consent
    ADD CONSTRAINT oauth_consent_pkey PRIMARY KEY (staff_id, client_id);

ALTER TABLE ONLY public.oauth_key
    ADD CONSTRAINT oauth_key_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY public.oauth_login
    ADD CONSTRAINT oauth_login_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.oauth_login
    ADD CONSTRAINT oauth_login_session_client_id_key UNIQUE (session, client_id);

ALTER TABLE ONLY public.oauth_login
    ADD CONSTRAINT oauth_login_sid_key UNIQUE (sid);

ALTER TABLE ONLY public.oauth_logout
    ADD CONSTRAINT oauth_logout_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.oauth_subject
    ADD CONSTRAINT oauth_subject_pkey PRIMARY KEY (staff_id, client_id);

ALTER TABLE ONLY public.oauth_subject
    ADD CONSTRAINT oauth_subject_subject_key UNIQUE (subject);

ALTER TABLE ONLY public.oauth_token
    ADD CONSTRAINT oauth_token_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.object_let_go
    ADD CONSTRAINT object_let_go_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.outage
    ADD CONSTRAINT outage_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_sitting_id_external_id_key UNIQUE (sitting_id, external_id);

ALTER TABLE ONLY public.participant_staging
    ADD CONSTRAINT participant_staging_pkey PRIMARY KEY (job_id, row_number);

ALTER TABLE ONLY public.pending_act
    ADD CONSTRAINT pending_act_pkey PRIMARY KEY (id);

ALTER TABLE public.pending_act
    ADD CONSTRAINT pending_act_two_persons CHECK (((decided_by IS NULL) OR (decided_by <> made_by) OR (state = 'withdrawn'::text) OR (waiver_id IS NOT NULL))) NOT VALID;

ALTER TABLE ONLY public.pending_identity
    ADD CONSTRAINT pending_identity_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.person_document
    ADD CONSTRAINT person_document_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.person_iin
    ADD CONSTRAINT person_iin_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY public.person_merge
    ADD CONSTRAINT person_merge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.person_project
    ADD CONSTRAINT person_project_pkey PRIMARY KEY (person_id, project);

ALTER TABLE ONLY public.person_staging
    ADD CONSTRAINT person_staging_pkey PRIMARY KEY (job_id, row_number);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.person_twin
    ADD CONSTRAINT person_twin_pkey PRIMARY KEY (first_id, second_id);

ALTER TABLE ONLY public.picture_erasure
    ADD CONSTRAINT picture_erasure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_hold
    ADD CONSTRAINT picture_hold_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_key
    ADD CONSTRAINT picture_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_proof
    ADD CONSTRAINT picture_proof_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_seal_look
    ADD CONSTRAINT picture_seal_look_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_seal
    ADD CONSTRAINT picture_seal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_segment
    ADD CONSTRAINT picture_segment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.picture_segment_sitting
    ADD CONSTRAINT picture_segment_sitting_pkey PRIMARY KEY (segment_id, sitting_id);

ALTER TABLE ONLY public.picture_sitting_key
    ADD CONSTRAINT picture_sitting_key_pkey PRIMARY KEY (sitting_id);

ALTER TABLE ONLY public.post
    ADD CONSTRAINT post_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.project_module
    ADD CONSTRAINT project_module_pkey PRIMARY KEY (project, module);

ALTER TABLE ONLY public.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.proof
    ADD CONSTRAINT proof_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.proof
    ADD CONSTRAINT proof_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.quota_plan
    ADD CONSTRAINT quota_plan_pkey PRIMARY KEY (sitting_id);

ALTER TABLE ONLY public.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (staff_id, day, kind);

ALTER TABLE ONLY public.region
    ADD CONSTRAINT region_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_staff_id_key UNIQUE (staff_id);

ALTER TABLE ONLY public.rescue_file
    ADD CONSTRAINT rescue_file_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.rescue_file
    ADD CONSTRAINT rescue_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reset_ask
    ADD CONSTRAINT reset_ask_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.response_conflict
    ADD CONSTRAINT response_conflict_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.response_conflict
    ADD CONSTRAINT response_conflict_sitting_id_attempt_id_device_seq_kind_ite_key UNIQUE NULLS NOT DISTINCT (sitting_id, attempt_id, device, seq, kind, item, value);

ALTER TABLE ONLY public.response_event
    ADD CONSTRAINT response_event_pkey PRIMARY KEY (sitting_id, attempt_id, device, seq);

ALTER TABLE ONLY public.response_event_other
    ADD CONSTRAINT response_event_other_pkey PRIMARY KEY (sitting_id, attempt_id, device, seq);

ALTER TABLE ONLY public.result
    ADD CONSTRAINT result_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.result_run
    ADD CONSTRAINT result_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_author_id_about_id_project_period_key UNIQUE (author_id, about_id, project, period);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.role_permission
    ADD CONSTRAINT role_permission_pkey PRIMARY KEY (role, permission);

ALTER TABLE ONLY public.role
    ADD CONSTRAINT role_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.room_code_open
    ADD CONSTRAINT room_code_open_pkey PRIMARY KEY (form_id, number);

ALTER TABLE ONLY public.room_code
    ADD CONSTRAINT room_code_pkey PRIMARY KEY (form_id, number);

ALTER TABLE ONLY public.room_opening
    ADD CONSTRAINT room_opening_pkey PRIMARY KEY (attempt_id, device, seq);

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_sitting_id_school_id_name_key UNIQUE (sitting_id, school_id, name);

ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT saved_view_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT saved_view_staff_id_list_name_key UNIQUE (staff_id, list, name);

ALTER TABLE ONLY public.school
    ADD CONSTRAINT school_code_key UNIQUE (code);

ALTER TABLE ONLY public.school
    ADD CONSTRAINT school_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.score_run
    ADD CONSTRAINT score_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.score_run
    ADD CONSTRAINT score_run_sitting_id_version_key UNIQUE (sitting_id, version);

ALTER TABLE ONLY public.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (attempt_id, device, finish_seq);

ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT settlement_kato_key UNIQUE (kato);

ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT settlement_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_address
    ADD CONSTRAINT sign_in_address_pkey PRIMARY KEY (staff_id, address);

ALTER TABLE ONLY public.signon_flow
    ADD CONSTRAINT signon_flow_pkey PRIMARY KEY (state_hash);

ALTER TABLE ONLY public.signon_provider
    ADD CONSTRAINT signon_provider_code_key UNIQUE (code);

ALTER TABLE ONLY public.signon_provider
    ADD CONSTRAINT signon_provider_issuer_key UNIQUE (issuer);

ALTER TABLE ONLY public.signon_provider
    ADD CONSTRAINT signon_provider_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sitting
    ADD CONSTRAINT sitting_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sitting_region
    ADD CONSTRAINT sitting_region_pkey PRIMARY KEY (sitting_id, region_code);

ALTER TABLE ONLY public.sitting_review
    ADD CONSTRAINT sitting_review_pkey PRIMARY KEY (sitting_id);

ALTER TABLE ONLY public.sitting_watch
    ADD CONSTRAINT sitting_watch_pkey PRIMARY KEY (sitting_id);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_key
    ADD CONSTRAINT staff_key_credential_id_key UNIQUE (credential_id);

ALTER TABLE ONLY public.staff_key
    ADD CONSTRAINT staff_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_link
    ADD CONSTRAINT staff_link_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_login_key UNIQUE (login);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (key_hash);

ALTER TABLE ONLY public.staff_totp
    ADD CONSTRAINT staff_totp_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.stream_position
    ADD CONSTRAINT stream_position_pkey PRIMARY KEY (stream);

ALTER TABLE ONLY public.talent_access
    ADD CONSTRAINT talent_access_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talent_copy
    ADD CONSTRAINT talent_copy_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talent
    ADD CONSTRAINT talent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talent_rule
    ADD CONSTRAINT talent_rule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_pkey PRIMARY KEY (participant_id);

ALTER TABLE ONLY public.test
    ADD CONSTRAINT test_code_key UNIQUE (code);

ALTER TABLE ONLY public.test
    ADD CONSTRAINT test_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tried
    ADD CONSTRAINT tried_pkey PRIMARY KEY (attempt_id, device, seq);

ALTER TABLE ONLY public.waiting_decision
    ADD CONSTRAINT waiting_decision_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.waived_review
    ADD CONSTRAINT waived_review_pkey PRIMARY KEY (act_id, reviewed_by);

ALTER TABLE ONLY public.waiver
    ADD CONSTRAINT waiver_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_act
    ADD CONSTRAINT watch_act_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_appeal
    ADD CONSTRAINT watch_appeal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_case_note
    ADD CONSTRAINT watch_case_note_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_case
    ADD CONSTRAINT watch_case_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.watch_evidence
    ADD CONSTRAINT watch_evidence_pkey PRIMARY KEY (attempt_id, seq, taken_ms);

ALTER TABLE ONLY public.watch_flood
    ADD CONSTRAINT watch_flood_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.watch_hand
    ADD CONSTRAINT watch_hand_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.watch_live
    ADD CONSTRAINT watch_live_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_look
    ADD CONSTRAINT watch_look_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_opening
    ADD CONSTRAINT watch_opening_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_review_hand
    ADD CONSTRAINT watch_review_hand_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.watch_ruling
    ADD CONSTRAINT watch_ruling_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.watch_score
    ADD CONSTRAINT watch_score_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.watch_verdict
    ADD CONSTRAINT watch_verdict_attempt_id_made_by_key UNIQUE (attempt_id, made_by);

ALTER TABLE ONLY public.watch_verdict
    ADD CONSTRAINT watch_verdict_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);

CREATE INDEX account_identity_staff ON public.account_identity USING btree (staff_id, id);

CREATE INDEX attempt_device_device ON public.attempt_device USING btree (device);

CREATE INDEX attempt_device_phone ON public.attempt_device USING btree (phone) WHERE (phone IS NOT NULL);

CREATE INDEX attempt_device_taken_over ON public.attempt_device USING btree (attempt_id, epoch) WHERE (epoch > 1);

CREATE INDEX attempt_pulse_sitting ON public.attempt_pulse USING btree (sitting_id);

CREATE INDEX attempt_sitting ON public.attempt USING btree (sitting_id);

CREATE INDEX audit_archived_file ON public.audit_archived USING btree (file_id, id);

CREATE INDEX audit_object ON public.audit USING btree (object_kind, object_id, id);

CREATE INDEX audit_staff ON public.audit USING btree (staff_id, id);

CREATE INDEX class_code_school ON public.class_code USING btree (school_id, id);

CREATE INDEX consent_ask_address ON public.consent_ask USING btree (address, made_at);

CREATE INDEX consent_ask_person ON public.consent_ask USING btree (person_id);

CREATE INDEX consent_ask_registration ON public.consent_ask USING btree (registration_id);

CREATE INDEX consent_camera_withdrawn ON public.consent USING btree (withdrawn_at) WHERE ((purpose = 'camera'::text) AND (withdrawn_at IS NOT NULL));

CREATE INDEX consent_person ON public.consent USING btree (person_id, purpose, id);

CREATE INDEX consent_text_force ON public.consent_text USING btree (in_force_from);

CREATE INDEX control_of_attempt ON public.control USING btree (sitting_id, scope_id, version) WHERE ((scope = 'attempt'::text) AND (kind <> 'credit'::text));

CREATE INDEX control_pauses ON public.control USING btree (sitting_id, scope, scope_id, version) WHERE (kind = ANY (ARRAY['pause'::text, 'resume'::text, 'restart'::text]));

CREATE INDEX control_sitting ON public.control USING btree (sitting_id, version);

CREATE INDEX control_unrelayed ON public.control USING btree (id) WHERE (relayed_at IS NULL);

CREATE INDEX credit_sitting ON public.credit USING btree (sitting_id);

CREATE INDEX erasure_due ON public.erasure USING btree (due_at, id) WHERE (done_at IS NULL);

CREATE UNIQUE INDEX erasure_open ON public.erasure USING btree (person_id, purpose) WHERE (done_at IS NULL);

CREATE INDEX exclusion_sitting ON public.exclusion USING btree (sitting_id);

CREATE INDEX job_untold ON public.job USING btree (id) WHERE ((told_at IS NULL) AND (state = ANY (ARRAY['done'::text, 'failed'::text])));

CREATE INDEX key_challenge_staff ON public.key_challenge USING btree (staff_id);

CREATE UNIQUE INDEX kpi_entry_once ON public.kpi_entry USING btree (person_id, project, measure, day) WHERE (source = 'system'::text);

CREATE INDEX kpi_entry_person ON public.kpi_entry USING btree (person_id, day, id);

CREATE INDEX machine_change_hour ON public.machine_change USING btree (client_id, at);

CREATE INDEX machine_external_id ON public.machine_external USING btree (client_id, external_id);

CREATE INDEX notice_about ON public.notice USING btree (kind, about);

CREATE INDEX notice_staff ON public.notice USING btree (staff_id, id);

CREATE INDEX notice_unread ON public.notice USING btree (staff_id) WHERE (read_at IS NULL);

CREATE INDEX oauth_code_login ON public.oauth_code USING btree (login_id);

CREATE INDEX oauth_logout_due ON public.oauth_logout USING btree (next_at, id) WHERE (state = 'queued'::text);

CREATE INDEX oauth_token_code ON public.oauth_token USING btree (code_id);

CREATE INDEX object_let_go_due ON public.object_let_go USING btree (erase_at);

CREATE INDEX outage_changed ON public.outage USING btree (changed_at);

CREATE INDEX outage_ended ON public.outage USING btree (ended_ms);

CREATE INDEX participant_born ON public.participant USING btree (birth_date, school_id);

CREATE INDEX participant_changed ON public.participant USING btree (changed_in);

CREATE UNIQUE INDEX participant_code ON public.participant USING btree (code_hash) WHERE (code_hash IS NOT NULL);

CREATE INDEX participant_import ON public.participant USING btree (import_job) WHERE (import_job IS NOT NULL);

CREATE INDEX participant_person ON public.participant USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE INDEX participant_room ON public.participant USING btree (room_id) WHERE (room_id IS NOT NULL);

CREATE INDEX participant_school ON public.participant USING btree (sitting_id, school_id);

CREATE INDEX participant_search ON public.participant USING gin (search_name public.gin_trgm_ops);

CREATE INDEX participant_sort ON public.participant USING btree (sitting_id, sort_name, id);

CREATE INDEX participant_unlinked ON public.participant USING btree (sitting_id) WHERE (person_id IS NULL);

CREATE INDEX pending_act_waiting ON public.pending_act USING btree (sitting_id) WHERE (state = 'waits'::text);

CREATE INDEX pending_act_waiver ON public.pending_act USING btree (waiver_id) WHERE (waiver_id IS NOT NULL);

CREATE INDEX pending_identity_ends ON public.pending_identity USING btree (ends_at);

CREATE INDEX person_archived ON public.person USING btree (sort_name, id) INCLUDE (grade, sex, language, region_code, school_id) WHERE (status = 'archived'::text);

CREATE INDEX person_district ON public.person USING btree (district_id, sort_name, id) INCLUDE (status, grade, sex, language, region_code, school_id);

CREATE UNIQUE INDEX person_document_object ON public.person_document USING btree (object_key) WHERE (object_key IS NOT NULL);

CREATE INDEX person_document_person ON public.person_document USING btree (person_id, id);

CREATE INDEX person_document_waits ON public.person_document USING btree (try_at, id) WHERE (state = 'waits'::text);

CREATE INDEX person_english ON public.person USING btree (sort_name, id) INCLUDE (status, grade, sex, region_code, school_id) WHERE (language = 'en'::text);

CREATE UNIQUE INDEX person_external ON public.person USING btree (external_id) WHERE (external_id IS NOT NULL);

CREATE INDEX person_iin_blind ON public.person_iin USING btree (blind);

CREATE INDEX person_import ON public.person USING btree (import_job) WHERE (import_job IS NOT NULL);

CREATE INDEX person_merge_gone ON public.person_merge USING btree (gone_id);

CREATE INDEX person_merge_kept ON public.person_merge USING btree (kept_id);

CREATE INDEX person_merged ON public.person USING btree (merged_into) WHERE (merged_into IS NOT NULL);

CREATE INDEX person_region ON public.person USING btree (region_code, sort_name, id) INCLUDE (status, grade, sex, language, school_id);

CREATE INDEX person_school ON public.person USING btree (school_id, sort_name, id) INCLUDE (status, grade, sex, language, region_code);

CREATE INDEX person_search ON public.person USING gin (search_key public.gin_trgm_ops, region_code, grade);

CREATE INDEX person_sort ON public.person USING btree (sort_name, id) INCLUDE (status, grade, sex, language, region_code, school_id);

CREATE INDEX person_tie_attached ON public.person_tie USING btree (attached_id, id);

CREATE INDEX person_tie_holder ON public.person_tie USING btree (holder_id, id);

CREATE UNIQUE INDEX person_tie_once ON public.person_tie USING btree (holder_id, attached_id, kind, COALESCE(project, ''::text)) WHERE (ended_at IS NULL);

CREATE INDEX person_twin_open ON public.person_twin USING btree (found_at DESC, first_id) WHERE (state = 'open'::text);

CREATE INDEX person_twin_second ON public.person_twin USING btree (second_id);

CREATE INDEX person_twins ON public.person USING btree (name_key, birth_date);

CREATE UNIQUE INDEX picture_erasure_of ON public.picture_erasure USING btree (sitting_id, COALESCE(attempt_id, (0)::bigint));

CREATE INDEX picture_erasure_waiting ON public.picture_erasure USING btree (id) WHERE (erased_at IS NULL);

CREATE INDEX picture_hold_open ON public.picture_hold USING btree (sitting_id, attempt_id) WHERE (released_at IS NULL);

CREATE INDEX picture_key_attempt ON public.picture_key USING btree (attempt_id);

CREATE INDEX picture_proof_sitting ON public.picture_proof USING btree (sitting_id, id);

CREATE INDEX picture_proof_waiting ON public.picture_proof USING btree (id) WHERE (checked_at IS NULL);

CREATE UNIQUE INDEX picture_seal_of ON public.picture_seal USING btree (attempt_id, seq, taken_ms) WHERE (state <> 'unsealed'::text);

CREATE INDEX picture_seal_to_erase ON public.picture_seal USING btree (id) WHERE ((state = 'erase'::text) AND (erased_at IS NULL));

CREATE INDEX picture_segment_sitting_of ON public.picture_segment_sitting USING btree (sitting_id);

CREATE INDEX picture_to_check_order ON public.picture_to_check USING btree (put_at);

CREATE INDEX post_due ON public.post USING btree (next_at, id) WHERE (state = ANY (ARRAY['queued'::text, 'failed'::text]));

CREATE INDEX post_notice ON public.post USING btree (notice_id) WHERE (notice_id IS NOT NULL);

CREATE INDEX post_person ON public.post USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE INDEX post_staff ON public.post USING btree (staff_id, id);

CREATE INDEX proof_address ON public.proof USING btree (address, asked_at);

CREATE INDEX proof_open ON public.proof USING btree (id) WHERE (answered_at IS NULL);

CREATE INDEX proof_place ON public.proof USING btree (place, asked_at);

CREATE INDEX registration_end ON public.registration USING btree (ends_at);

CREATE INDEX registration_miss_place ON public.registration_miss USING btree (place, at);

CREATE INDEX registration_region ON public.registration USING btree (region_code, state, id);

CREATE INDEX registration_school ON public.registration USING btree (school_id, state, id);

CREATE INDEX reset_ask_address ON public.reset_ask USING btree (address, at);

CREATE INDEX reset_ask_open ON public.reset_ask USING btree (id) WHERE (done_at IS NULL);

CREATE INDEX review_about ON public.review USING btree (about_id, id);

CREATE INDEX review_waits ON public.review USING btree (changed_at, id) WHERE (state = 'waits'::text);

CREATE UNIQUE INDEX room_code_open_of_a_room ON public.room_code USING btree (form_id, room_id) WHERE ((closed_at IS NULL) AND (room_id IS NOT NULL));

CREATE INDEX room_code_room ON public.room_code USING btree (room_id) WHERE (room_id IS NOT NULL);

CREATE INDEX room_opening_sitting ON public.room_opening USING btree (sitting_id);

CREATE INDEX school_of_district ON public.school USING btree (district_id);

CREATE INDEX school_settlement ON public.school USING btree (settlement_id) WHERE (settlement_id IS NOT NULL);

CREATE INDEX seal_code ON public.seal USING btree (code);

CREATE INDEX seal_sitting ON public.seal USING btree (sitting_id);

CREATE INDEX settlement_district ON public.settlement USING btree (district_id, public.kk(name_kk), id);

CREATE UNIQUE INDEX settlement_name ON public.settlement USING btree (district_id, lower(name_kk));

CREATE INDEX signon_flow_ends ON public.signon_flow USING btree (ends_at);

CREATE UNIQUE INDEX staff_email ON public.staff USING btree (email);

CREATE INDEX staff_grant_end ON public.staff_grant USING btree (ends_at);

CREATE INDEX staff_grant_staff ON public.staff_grant USING btree (staff_id);

CREATE INDEX staff_key_staff ON public.staff_key USING btree (staff_id);

CREATE INDEX staff_link_staff ON public.staff_link USING btree (staff_id, purpose, made_at);

CREATE UNIQUE INDEX staff_person ON public.staff USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE UNIQUE INDEX staff_proven_phone ON public.staff USING btree (phone) WHERE (phone_proven_at IS NOT NULL);

CREATE UNIQUE INDEX staff_public ON public.staff USING btree (public_id);

CREATE INDEX staff_registered ON public.staff USING btree (id) WHERE (registered_at IS NOT NULL);

CREATE INDEX staff_session_identity ON public.staff_session USING btree (identity_id) WHERE (identity_id IS NOT NULL);

CREATE INDEX stream_position_open ON public.stream_position USING btree (stream) WHERE (closed_at IS NULL);

CREATE INDEX talent_access_staff ON public.talent_access USING btree (staff_id, ends_at);

CREATE UNIQUE INDEX talent_now ON public.talent USING btree (person_id, rule_id) WHERE (left_at IS NULL);

CREATE INDEX talent_person ON public.talent USING btree (person_id, id);

CREATE INDEX talent_rule_now ON public.talent USING btree (rule_id) WHERE (left_at IS NULL);

CREATE INDEX talent_unmatched_open ON public.talent_unmatched USING btree (found_at, participant_id) WHERE (decided_at IS NULL);

CREATE INDEX talent_unmatched_person ON public.talent_unmatched USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE INDEX tried_until ON public.tried USING btree (until_ms);

CREATE INDEX tried_unweighed ON public.tried USING btree (sitting_id, attempt_id) WHERE (weighed_at IS NULL);

CREATE INDEX waiting_decision_sitting ON public.waiting_decision USING btree (sitting_id);

CREATE INDEX waiver_end ON public.waiver USING btree (project, ends_at);

CREATE INDEX watch_act_attempt ON public.watch_act USING btree (attempt_id, id);

CREATE INDEX watch_act_open ON public.watch_act USING btree (made_at) WHERE ((kind = 'pause'::text) AND (over_at IS NULL));

CREATE INDEX watch_act_words ON public.watch_act USING btree (sitting_id, id) WHERE (words <> ''::text);

CREATE UNIQUE INDEX watch_appeal_open ON public.watch_appeal USING btree (attempt_id) WHERE (state = 'open'::text);

CREATE INDEX watch_appeal_sitting ON public.watch_appeal USING btree (sitting_id);

CREATE INDEX watch_case_note_attempt ON public.watch_case_note USING btree (attempt_id, id);

CREATE INDEX watch_case_sitting ON public.watch_case USING btree (sitting_id);

CREATE INDEX watch_flood_sitting ON public.watch_flood USING btree (sitting_id);

CREATE INDEX watch_hand_staff ON public.watch_hand USING btree (staff_id, sitting_id);

CREATE INDEX watch_live_attempt ON public.watch_live USING btree (attempt_id, id);

CREATE UNIQUE INDEX watch_live_open ON public.watch_live USING btree (attempt_id) WHERE (ended_at IS NULL);

CREATE INDEX watch_live_waiting ON public.watch_live USING btree (waits_until) WHERE (ended_at IS NULL);

CREATE INDEX watch_look_attempt ON public.watch_look USING btree (attempt_id, id);

CREATE INDEX watch_look_staff ON public.watch_look USING btree (staff_id, at);

CREATE INDEX watch_opening_of ON public.watch_opening USING btree (attempt_id, staff_id, at);

CREATE INDEX watch_review_hand_staff ON public.watch_review_hand USING btree (staff_id);

CREATE INDEX watch_ruling_attempt ON public.watch_ruling USING btree (attempt_id, id);

CREATE INDEX watch_score_order ON public.watch_score USING btree (sitting_id, score DESC, attempt_id);

CREATE INDEX watch_verdict_sitting ON public.watch_verdict USING btree (sitting_id, made_at);

CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (next_at, id) WHERE (state = ANY (ARRAY['queued'::text, 'failed'::text]));

CREATE INDEX webhook_delivery_of ON public.webhook_delivery USING btree (webhook_id, id DESC);

ALTER INDEX public.response_event_pkey ATTACH PARTITION public.response_event_other_pkey;

CREATE TRIGGER audit_chain BEFORE INSERT ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_chain();

CREATE TRIGGER camera_consent_changed AFTER UPDATE ON public.consent FOR EACH ROW WHEN ((new.purpose = 'camera'::text)) EXECUTE FUNCTION public.camera_consent_changed();

CREATE TRIGGER camera_consent_given AFTER INSERT ON public.consent FOR EACH ROW WHEN ((new.purpose = 'camera'::text)) EXECUTE FUNCTION public.camera_consent_changed();

CREATE TRIGGER grant_told AFTER UPDATE ON public.staff_grant FOR EACH ROW WHEN (((old.ends_at IS DISTINCT FROM new.ends_at) OR (old.asleep_at IS DISTINCT FROM new.asleep_at))) EXECUTE FUNCTION public.grant_told();

CREATE TRIGGER grant_told_made AFTER INSERT ON public.staff_grant FOR EACH ROW EXECUTE FUNCTION public.grant_told();

CREATE TRIGGER oauth_session_ended AFTER DELETE ON public.staff_session FOR EACH ROW EXECUTE FUNCTION public.oauth_session_ended();

CREATE TRIGGER participant_changed BEFORE UPDATE ON public.participant FOR EACH ROW EXECUTE FUNCTION public.participant_changed();

CREATE TRIGGER person_place BEFORE INSERT OR UPDATE OF school_id, district_id, region_code ON public.person FOR EACH ROW EXECUTE FUNCTION public.person_place();

CREATE TRIGGER person_project_added AFTER INSERT ON public.person_project REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.person_projects();

CREATE TRIGGER person_project_taken AFTER DELETE ON public.person_project REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.person_projects();

CREATE TRIGGER room_made AFTER INSERT ON public.room REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.rooms_want_codes();

CREATE TRIGGER school_moved AFTER UPDATE OF district_id ON public.school FOR EACH ROW WHEN ((old.district_id IS DISTINCT FROM new.district_id)) EXECUTE FUNCTION public.school_moved();

CREATE TRIGGER school_place BEFORE INSERT OR UPDATE OF settlement_id, district_id ON public.school FOR EACH ROW EXECUTE FUNCTION public.school_place();

CREATE TRIGGER settlement_moved AFTER UPDATE OF district_id ON public.settlement FOR EACH ROW WHEN ((old.district_id IS DISTINCT FROM new.district_id)) EXECUTE FUNCTION public.settlement_moved();

CREATE TRIGGER sitting_forms AFTER UPDATE OF form_id, reserve_form_id ON public.sitting FOR EACH ROW WHEN (((old.form_id IS DISTINCT FROM new.form_id) OR (old.reserve_form_id IS DISTINCT FROM new.reserve_form_id))) EXECUTE FUNCTION public.sitting_wants_codes();

CREATE TRIGGER sitting_is_watched AFTER INSERT ON public.sitting_watch FOR EACH ROW EXECUTE FUNCTION public.sitting_is_watched();

CREATE TRIGGER staff_changed BEFORE UPDATE ON public.staff FOR EACH ROW EXECUTE FUNCTION public.staff_changed();

CREATE TRIGGER staff_told AFTER UPDATE ON public.staff FOR EACH ROW WHEN (((((old.login IS DISTINCT FROM new.login) OR (old.full_name IS DISTINCT FROM new.full_name)) OR (old.language IS DISTINCT FROM new.language)) OR (old.disabled_at IS DISTINCT FROM new.disabled_at))) EXECUTE FUNCTION public.staff_told();

CREATE TRIGGER talent_consent_withdrawn AFTER UPDATE OF withdrawn_at ON public.consent FOR EACH ROW WHEN (((new.purpose = 'talents'::text) AND (new.withdrawn_at IS NOT NULL))) EXECUTE FUNCTION public.talent_consent_withdrawn();

CREATE TRIGGER watch_verdict_said AFTER INSERT ON public.watch_verdict FOR EACH ROW EXECUTE FUNCTION public.watch_verdict_said();

ALTER TABLE ONLY keys.item_key
    ADD CONSTRAINT item_key_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.account_identity
    ADD CONSTRAINT account_identity_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.signon_provider(id);

ALTER TABLE ONLY public.account_identity
    ADD CONSTRAINT account_identity_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_is_participant FOREIGN KEY (id) REFERENCES public.participant(id);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.audit_archived
    ADD CONSTRAINT audit_archived_file_id_fkey FOREIGN KEY (file_id) REFERENCES public.audit_file(id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_role_fkey FOREIGN KEY (role) REFERENCES public.role(code);

ALTER TABLE ONLY public.class_code
    ADD CONSTRAINT class_code_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.consent_ask
    ADD CONSTRAINT consent_ask_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.consent_ask
    ADD CONSTRAINT consent_ask_proof_id_fkey FOREIGN KEY (proof_id) REFERENCES public.proof(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.consent_ask
    ADD CONSTRAINT consent_ask_registration_id_fkey FOREIGN KEY (registration_id) REFERENCES public.registration(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT consent_text_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.control
    ADD CONSTRAINT control_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.control
    ADD CONSTRAINT control_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.credit
    ADD CONSTRAINT credit_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.participant(id);

ALTER TABLE ONLY public.district
    ADD CONSTRAINT district_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_held_by_fkey FOREIGN KEY (held_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT exclusion_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT exclusion_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT exclusion_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.participant(id);

ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT exclusion_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.form_item
    ADD CONSTRAINT form_item_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.form_item
    ADD CONSTRAINT form_item_form_id_section_fkey FOREIGN KEY (form_id, section) REFERENCES public.form_section(form_id, number);

ALTER TABLE ONLY public.form_key
    ADD CONSTRAINT form_key_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.form_media
    ADD CONSTRAINT form_media_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.form_pack
    ADD CONSTRAINT form_pack_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.form_section
    ADD CONSTRAINT form_section_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.form
    ADD CONSTRAINT form_test_id_fkey FOREIGN KEY (test_id) REFERENCES public.test(id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.item_ruling
    ADD CONSTRAINT item_ruling_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.item_ruling
    ADD CONSTRAINT item_ruling_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.item_ruling
    ADD CONSTRAINT item_ruling_form_id_code_fkey FOREIGN KEY (form_id, code) REFERENCES public.form_item(form_id, code);

ALTER TABLE ONLY public.item_ruling
    ADD CONSTRAINT item_ruling_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.key_challenge
    ADD CONSTRAINT key_challenge_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.kpi_entry
    ADD CONSTRAINT kpi_entry_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.kpi_entry
    ADD CONSTRAINT kpi_entry_measure_fkey FOREIGN KEY (measure) REFERENCES public.kpi_measure(code);

ALTER TABLE ONLY public.kpi_entry
    ADD CONSTRAINT kpi_entry_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.kpi_entry
    ADD CONSTRAINT kpi_entry_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.kpi_measure
    ADD CONSTRAINT kpi_measure_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.machine_change
    ADD CONSTRAINT machine_change_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.machine_client(id);

ALTER TABLE ONLY public.machine_change
    ADD CONSTRAINT machine_change_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.machine_client
    ADD CONSTRAINT machine_client_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.machine_client
    ADD CONSTRAINT machine_client_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.machine_external
    ADD CONSTRAINT machine_external_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.machine_client(id);

ALTER TABLE ONLY public.machine_external
    ADD CONSTRAINT machine_external_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.machine_said
    ADD CONSTRAINT machine_said_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.machine_said
    ADD CONSTRAINT machine_said_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.machine_shut
    ADD CONSTRAINT machine_shut_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.machine_client(id);

ALTER TABLE ONLY public.machine_shut
    ADD CONSTRAINT machine_shut_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.machine_user
    ADD CONSTRAINT machine_user_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.machine_client(id);

ALTER TABLE ONLY public.machine_user
    ADD CONSTRAINT machine_user_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.notice_wish
    ADD CONSTRAINT notice_wish_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.oauth_client
    ADD CONSTRAINT oauth_client_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.oauth_client
    ADD CONSTRAINT oauth_client_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.oauth_code
    ADD CONSTRAINT oauth_code_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.oauth_login(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.oauth_consent
    ADD CONSTRAINT oauth_consent_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.oauth_client(id);

ALTER TABLE ONLY public.oauth_consent
    ADD CONSTRAINT oauth_consent_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.oauth_login
    ADD CONSTRAINT oauth_login_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.oauth_client(id);

ALTER TABLE ONLY public.oauth_login
    ADD CONSTRAINT oauth_login_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.oauth_logout
    ADD CONSTRAINT oauth_logout_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.oauth_client(id);

ALTER TABLE ONLY public.oauth_subject
    ADD CONSTRAINT oauth_subject_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.oauth_client(id);

ALTER TABLE ONLY public.oauth_subject
    ADD CONSTRAINT oauth_subject_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.oauth_token
    ADD CONSTRAINT oauth_token_code_id_fkey FOREIGN KEY (code_id) REFERENCES public.oauth_code(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_import_job_fkey FOREIGN KEY (import_job) REFERENCES public.job(id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.room(id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.participant
    ADD CONSTRAINT participant_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.participant_staging
    ADD CONSTRAINT participant_staging_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.job(id);

ALTER TABLE ONLY public.pending_act
    ADD CONSTRAINT pending_act_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.pending_act
    ADD CONSTRAINT pending_act_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.pending_act
    ADD CONSTRAINT pending_act_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.pending_act
    ADD CONSTRAINT pending_act_waiver_id_fkey FOREIGN KEY (waiver_id) REFERENCES public.waiver(id);

ALTER TABLE ONLY public.pending_identity
    ADD CONSTRAINT pending_identity_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.signon_provider(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district(id);

ALTER TABLE ONLY public.person_document
    ADD CONSTRAINT person_document_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_document
    ADD CONSTRAINT person_document_confirmed_by_fkey FOREIGN KEY (confirmed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_document
    ADD CONSTRAINT person_document_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_iin
    ADD CONSTRAINT person_iin_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_import_job_fkey FOREIGN KEY (import_job) REFERENCES public.job(id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_merge
    ADD CONSTRAINT person_merge_gone_id_fkey FOREIGN KEY (gone_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_merge
    ADD CONSTRAINT person_merge_kept_id_fkey FOREIGN KEY (kept_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_merge
    ADD CONSTRAINT person_merge_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_merge
    ADD CONSTRAINT person_merge_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_project
    ADD CONSTRAINT person_project_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_project
    ADD CONSTRAINT person_project_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.person_staging
    ADD CONSTRAINT person_staging_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.job(id);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_attached_id_fkey FOREIGN KEY (attached_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_tie
    ADD CONSTRAINT person_tie_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.person_twin
    ADD CONSTRAINT person_twin_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.person_twin
    ADD CONSTRAINT person_twin_first_id_fkey FOREIGN KEY (first_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person_twin
    ADD CONSTRAINT person_twin_second_id_fkey FOREIGN KEY (second_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.picture_erasure
    ADD CONSTRAINT picture_erasure_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_hold
    ADD CONSTRAINT picture_hold_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_key
    ADD CONSTRAINT picture_key_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_proof
    ADD CONSTRAINT picture_proof_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.picture_proof
    ADD CONSTRAINT picture_proof_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_seal
    ADD CONSTRAINT picture_seal_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.picture_seal_look
    ADD CONSTRAINT picture_seal_look_seal_id_fkey FOREIGN KEY (seal_id) REFERENCES public.picture_seal(id);

ALTER TABLE ONLY public.picture_seal_look
    ADD CONSTRAINT picture_seal_look_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.picture_seal
    ADD CONSTRAINT picture_seal_sealed_by_fkey FOREIGN KEY (sealed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.picture_seal
    ADD CONSTRAINT picture_seal_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_segment_sitting
    ADD CONSTRAINT picture_segment_sitting_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.picture_segment(id);

ALTER TABLE ONLY public.picture_segment_sitting
    ADD CONSTRAINT picture_segment_sitting_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.picture_sitting_key
    ADD CONSTRAINT picture_sitting_key_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.post
    ADD CONSTRAINT post_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES public.notice(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.post
    ADD CONSTRAINT post_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.post
    ADD CONSTRAINT post_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.project_module
    ADD CONSTRAINT project_module_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.quota_plan
    ADD CONSTRAINT quota_plan_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.quota_plan
    ADD CONSTRAINT quota_plan_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.quota_plan
    ADD CONSTRAINT quota_plan_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.reading
    ADD CONSTRAINT reading_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_class_code_id_fkey FOREIGN KEY (class_code_id) REFERENCES public.class_code(id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_role_fkey FOREIGN KEY (role) REFERENCES public.role(code);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.rescue_file
    ADD CONSTRAINT rescue_file_taken_by_fkey FOREIGN KEY (taken_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.result
    ADD CONSTRAINT result_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.score_run(id);

ALTER TABLE ONLY public.result_run
    ADD CONSTRAINT result_run_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.score_run(id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_about_id_fkey FOREIGN KEY (about_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.role_permission
    ADD CONSTRAINT role_permission_role_fkey FOREIGN KEY (role) REFERENCES public.role(code);

ALTER TABLE ONLY public.role
    ADD CONSTRAINT role_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.room_code
    ADD CONSTRAINT room_code_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.room_code_open
    ADD CONSTRAINT room_code_open_form_id_number_fkey FOREIGN KEY (form_id, number) REFERENCES public.room_code(form_id, number) ON DELETE CASCADE;

ALTER TABLE ONLY public.room_code
    ADD CONSTRAINT room_code_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.room(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.room_opening
    ADD CONSTRAINT room_opening_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.participant(id);

ALTER TABLE ONLY public.room_opening
    ADD CONSTRAINT room_opening_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.room(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT saved_view_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.school
    ADD CONSTRAINT school_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district(id);

ALTER TABLE ONLY public.school
    ADD CONSTRAINT school_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES public.settlement(id);

ALTER TABLE ONLY public.score_run
    ADD CONSTRAINT score_run_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.score_run
    ADD CONSTRAINT score_run_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT settlement_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district(id);

ALTER TABLE ONLY public.sign_in_address
    ADD CONSTRAINT sign_in_address_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.signon_flow
    ADD CONSTRAINT signon_flow_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.signon_provider(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.signon_flow
    ADD CONSTRAINT signon_flow_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.sitting
    ADD CONSTRAINT sitting_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.sitting
    ADD CONSTRAINT sitting_form_id_fkey FOREIGN KEY (form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.sitting_region
    ADD CONSTRAINT sitting_region_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.sitting_region
    ADD CONSTRAINT sitting_region_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.sitting
    ADD CONSTRAINT sitting_reserve_form_id_fkey FOREIGN KEY (reserve_form_id) REFERENCES public.form(id);

ALTER TABLE ONLY public.sitting_review
    ADD CONSTRAINT sitting_review_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sitting
    ADD CONSTRAINT sitting_test_id_fkey FOREIGN KEY (test_id) REFERENCES public.test(id);

ALTER TABLE ONLY public.sitting_watch
    ADD CONSTRAINT sitting_watch_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district(id);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_given_by_fkey FOREIGN KEY (given_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_role_fkey FOREIGN KEY (role) REFERENCES public.role(code);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.staff_grant
    ADD CONSTRAINT staff_grant_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_key
    ADD CONSTRAINT staff_key_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_link
    ADD CONSTRAINT staff_link_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_own_school_id_fkey FOREIGN KEY (own_school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_identity_id_fkey FOREIGN KEY (identity_id) REFERENCES public.account_identity(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_totp
    ADD CONSTRAINT staff_totp_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_access
    ADD CONSTRAINT talent_access_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_access
    ADD CONSTRAINT talent_access_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_access
    ADD CONSTRAINT talent_access_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_copy
    ADD CONSTRAINT talent_copy_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent
    ADD CONSTRAINT talent_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.talent_rule
    ADD CONSTRAINT talent_rule_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent
    ADD CONSTRAINT talent_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.talent_rule(id);

ALTER TABLE ONLY public.talent_rule
    ADD CONSTRAINT talent_rule_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_rule
    ADD CONSTRAINT talent_rule_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

ALTER TABLE ONLY public.talent_rule
    ADD CONSTRAINT talent_rule_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.talent
    ADD CONSTRAINT talent_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.score_run(id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_region_code_fkey FOREIGN KEY (region_code) REFERENCES public.region(code);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.talent_rule(id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_school_id_fkey FOREIGN KEY (school_id) REFERENCES public.school(id);

ALTER TABLE ONLY public.talent_unmatched
    ADD CONSTRAINT talent_unmatched_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.waiting_decision
    ADD CONSTRAINT waiting_decision_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.waiting_decision
    ADD CONSTRAINT waiting_decision_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.waiting_decision
    ADD CONSTRAINT waiting_decision_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.participant(id);

ALTER TABLE ONLY public.waiting_decision
    ADD CONSTRAINT waiting_decision_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.waived_review
    ADD CONSTRAINT waived_review_act_id_fkey FOREIGN KEY (act_id) REFERENCES public.pending_act(id);

ALTER TABLE ONLY public.waived_review
    ADD CONSTRAINT waived_review_reviewed_by_fkey FOREIGN KEY (reviewed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.waiver
    ADD CONSTRAINT waiver_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.waiver
    ADD CONSTRAINT waiver_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.waiver
    ADD CONSTRAINT waiver_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_act
    ADD CONSTRAINT watch_act_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_act
    ADD CONSTRAINT watch_act_sampled_by_fkey FOREIGN KEY (sampled_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_act
    ADD CONSTRAINT watch_act_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_appeal
    ADD CONSTRAINT watch_appeal_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.watch_case(attempt_id);

ALTER TABLE ONLY public.watch_appeal
    ADD CONSTRAINT watch_appeal_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_appeal
    ADD CONSTRAINT watch_appeal_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_appeal
    ADD CONSTRAINT watch_appeal_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_case_note
    ADD CONSTRAINT watch_case_note_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.watch_case(attempt_id);

ALTER TABLE ONLY public.watch_case_note
    ADD CONSTRAINT watch_case_note_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_case
    ADD CONSTRAINT watch_case_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_case
    ADD CONSTRAINT watch_case_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_evidence
    ADD CONSTRAINT watch_evidence_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.watch_case(attempt_id);

ALTER TABLE ONLY public.watch_evidence
    ADD CONSTRAINT watch_evidence_chosen_by_fkey FOREIGN KEY (chosen_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_flood
    ADD CONSTRAINT watch_flood_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_hand
    ADD CONSTRAINT watch_hand_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_hand
    ADD CONSTRAINT watch_hand_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_live
    ADD CONSTRAINT watch_live_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_live
    ADD CONSTRAINT watch_live_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_look
    ADD CONSTRAINT watch_look_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_opening
    ADD CONSTRAINT watch_opening_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_opening
    ADD CONSTRAINT watch_opening_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_review_hand
    ADD CONSTRAINT watch_review_hand_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_review_hand
    ADD CONSTRAINT watch_review_hand_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_ruling
    ADD CONSTRAINT watch_ruling_appeal_id_fkey FOREIGN KEY (appeal_id) REFERENCES public.watch_appeal(id);

ALTER TABLE ONLY public.watch_ruling
    ADD CONSTRAINT watch_ruling_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.watch_case(attempt_id);

ALTER TABLE ONLY public.watch_ruling
    ADD CONSTRAINT watch_ruling_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_score
    ADD CONSTRAINT watch_score_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.watch_verdict
    ADD CONSTRAINT watch_verdict_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.watch_verdict
    ADD CONSTRAINT watch_verdict_sitting_id_fkey FOREIGN KEY (sitting_id) REFERENCES public.sitting(id);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhook(id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.staff(id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_project_fkey FOREIGN KEY (project) REFERENCES public.project(code);

CREATE POLICY both_sides ON public.person_tie AS RESTRICTIVE FOR INSERT TO elumiti_portal WITH CHECK (((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_tie.attached_id))) AND (EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_tie.holder_id)))));

ALTER TABLE public.consent ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasure ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.kpi_entry ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON public.person FOR SELECT TO elumiti_portal USING ((id = ( SELECT public.scope_person() AS scope_person)));

CREATE POLICY own ON public.registration TO elumiti_portal USING ((staff_id = ( SELECT public.scope_login() AS scope_login)));

ALTER TABLE public.person ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_document ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_iin ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_merge ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_project ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_tie ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_twin ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.registration ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.talent ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.talent_unmatched ENABLE ROW LEVEL SECURITY;

CREATE POLICY territory ON public.consent TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = consent.person_id))));

CREATE POLICY territory ON public.erasure TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = erasure.person_id))));

CREATE POLICY territory ON public.kpi_entry TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = kpi_entry.person_id))));

CREATE POLICY territory ON public.person TO elumiti_portal USING ((( SELECT public.scope_country() AS scope_country) OR (region_code = ANY (( SELECT public.scope_regions() AS scope_regions)::text[])) OR (school_id = ANY (( SELECT public.scope_schools() AS scope_schools)::integer[])) OR (id = ANY (( SELECT public.scope_members() AS scope_members)::bigint[]))));

CREATE POLICY territory ON public.person_document TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_document.person_id))));

CREATE POLICY territory ON public.person_iin TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_iin.person_id))));

CREATE POLICY territory ON public.person_merge TO elumiti_portal USING (((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_merge.kept_id))) AND (EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_merge.gone_id)))));

CREATE POLICY territory ON public.person_project TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_project.person_id))));

CREATE POLICY territory ON public.person_tie TO elumiti_portal USING (((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_tie.attached_id))) OR (EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_tie.holder_id)))));

CREATE POLICY territory ON public.person_twin TO elumiti_portal USING (((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_twin.first_id))) AND (EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = person_twin.second_id)))));

CREATE POLICY territory ON public.registration TO elumiti_portal USING ((( SELECT public.scope_country() AS scope_country) OR (region_code = ANY (( SELECT public.scope_regions() AS scope_regions)::text[])) OR (school_id = ANY (( SELECT public.scope_schools() AS scope_schools)::integer[]))));

CREATE POLICY territory ON public.review TO elumiti_portal USING (((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = review.about_id))) OR (EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = review.author_id)))));

CREATE POLICY territory ON public.talent TO elumiti_portal USING ((EXISTS ( SELECT 1
   FROM public.person p
  WHERE (p.id = talent.person_id))));

CREATE POLICY territory ON public.talent_unmatched TO elumiti_portal USING ((( SELECT public.scope_country() AS scope_country) OR (region_code = ANY (( SELECT public.scope_regions() AS scope_regions)::text[])) OR (school_id = ANY (( SELECT public.scope_schools() AS scope_schools)::integer[]))));

GRANT USAGE ON SCHEMA keys TO elumiti_scoring;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO elumiti_engine;
GRANT USAGE ON SCHEMA public TO elumiti_flusher;
GRANT USAGE ON SCHEMA public TO elumiti_portal;
GRANT USAGE ON SCHEMA public TO elumiti_scoring;
GRANT USAGE ON SCHEMA public TO elumiti_status;
GRANT USAGE ON SCHEMA public TO elumiti_release;
GRANT USAGE ON SCHEMA public TO elumiti_proctoring;

GRANT ALL ON FUNCTION public.audit_broken_at() TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.audit TO elumiti_portal;
GRANT SELECT,INSERT ON TABLE public.audit TO elumiti_scoring;
GRANT INSERT ON TABLE public.audit TO elumiti_release;
GRANT INSERT ON TABLE public.audit TO elumiti_proctoring;

REVOKE ALL ON FUNCTION public.audit_movable(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_movable(most integer) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.audit_move(upto bigint, object_key text, sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_move(upto bigint, object_key text, sha256 bytea) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.camera_consent_changed() FROM PUBLIC;

GRANT SELECT,INSERT ON TABLE public.consent TO elumiti_portal;

GRANT UPDATE(person_id) ON TABLE public.consent TO elumiti_portal;

GRANT UPDATE(withdrawn_at) ON TABLE public.consent TO elumiti_portal;

GRANT UPDATE(withdrawn_by) ON TABLE public.consent TO elumiti_portal;

GRANT UPDATE(withdrawn_note) ON TABLE public.consent TO elumiti_portal;

REVOKE ALL ON FUNCTION public.consent_holds(p_person bigint, p_purpose text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.consent_holds(p_person bigint, p_purpose text) TO elumiti_portal;
GRANT ALL ON FUNCTION public.consent_holds(p_person bigint, p_purpose text) TO elumiti_proctoring;

REVOKE ALL ON FUNCTION public.flag_twins(p_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.flag_twins(p_ids bigint[]) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.give_room_codes(p_form integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.give_room_codes(p_form integer) TO elumiti_portal;
GRANT ALL ON FUNCTION public.give_room_codes(p_form integer) TO elumiti_flusher;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.role_permission TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff_grant TO elumiti_portal;

GRANT ALL ON FUNCTION public.is_privileged(p_staff integer, p_at timestamp with time zone) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.link_participants(p_ids bigint[], p_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.link_participants(p_ids bigint[], p_keys text[]) TO elumiti_portal;

GRANT SELECT ON TABLE public.participant TO elumiti_flusher;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.participant TO elumiti_portal;
GRANT SELECT ON TABLE public.participant TO elumiti_scoring;

GRANT SELECT(id) ON TABLE public.participant TO elumiti_engine;
GRANT SELECT(id) ON TABLE public.participant TO elumiti_proctoring;

GRANT SELECT(sitting_id) ON TABLE public.participant TO elumiti_engine;
GRANT SELECT(sitting_id) ON TABLE public.participant TO elumiti_proctoring;

GRANT SELECT(school_id) ON TABLE public.participant TO elumiti_engine;
GRANT SELECT(school_id) ON TABLE public.participant TO elumiti_proctoring;

GRANT SELECT(first_name) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(birth_date) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(language) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(extra_minutes) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(code_hash) ON TABLE public.participant TO elumiti_engine;

GRANT UPDATE(birth_misses) ON TABLE public.participant TO elumiti_flusher;

GRANT SELECT(locked_at) ON TABLE public.participant TO elumiti_engine;
GRANT UPDATE(locked_at) ON TABLE public.participant TO elumiti_flusher;

GRANT SELECT(changed_in) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(devices_freed_at) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(room_id) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT(person_id) ON TABLE public.participant TO elumiti_engine;

GRANT SELECT,INSERT,UPDATE ON TABLE public.picture_erasure TO elumiti_proctoring;
GRANT SELECT ON TABLE public.picture_erasure TO elumiti_portal;

GRANT INSERT(sitting_id) ON TABLE public.picture_erasure TO elumiti_portal;

GRANT INSERT(attempt_id) ON TABLE public.picture_erasure TO elumiti_portal;

GRANT INSERT(reason) ON TABLE public.picture_erasure TO elumiti_portal;

GRANT INSERT(asked_by) ON TABLE public.picture_erasure TO elumiti_portal;

GRANT SELECT ON TABLE public.sitting_watch TO elumiti_proctoring;
GRANT SELECT ON TABLE public.sitting_watch TO elumiti_engine;
GRANT SELECT ON TABLE public.sitting_watch TO elumiti_release;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sitting_watch TO elumiti_portal;

REVOKE ALL ON FUNCTION public.live_allowed(attempt bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.live_allowed(attempt bigint) TO elumiti_proctoring;
GRANT ALL ON FUNCTION public.live_allowed(attempt bigint) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.make_sitting_partition(sitting integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.make_sitting_partition(sitting integer) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.make_watch_partition(sitting integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.make_watch_partition(sitting integer) TO elumiti_proctoring;
GRANT ALL ON FUNCTION public.make_watch_partition(sitting integer) TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.person_tie TO elumiti_portal;

GRANT UPDATE(holder_id) ON TABLE public.person_tie TO elumiti_portal;

GRANT UPDATE(attached_id) ON TABLE public.person_tie TO elumiti_portal;

GRANT UPDATE(until) ON TABLE public.person_tie TO elumiti_portal;

GRANT UPDATE(ended_by) ON TABLE public.person_tie TO elumiti_portal;

GRANT UPDATE(ended_at) ON TABLE public.person_tie TO elumiti_portal;

REVOKE ALL ON FUNCTION public.members_of(p_parts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.members_of(p_parts jsonb) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.open_watch_case(attempt bigint, sitting integer, reason text, staff integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_watch_case(attempt bigint, sitting integer, reason text, staff integer) TO elumiti_portal;

GRANT ALL ON FUNCTION public.participant_changed() TO elumiti_portal;
GRANT ALL ON FUNCTION public.participant_changed() TO elumiti_flusher;

GRANT SELECT ON TABLE public.attempt TO elumiti_engine;
GRANT SELECT,INSERT,UPDATE ON TABLE public.attempt TO elumiti_flusher;
GRANT SELECT ON TABLE public.attempt TO elumiti_portal;
GRANT SELECT ON TABLE public.attempt TO elumiti_scoring;

GRANT SELECT(id) ON TABLE public.attempt TO elumiti_proctoring;

GRANT UPDATE(finished_at) ON TABLE public.attempt TO elumiti_portal;
GRANT SELECT(finished_at) ON TABLE public.attempt TO elumiti_proctoring;

GRANT UPDATE(finish_device) ON TABLE public.attempt TO elumiti_portal;

GRANT UPDATE(reopened_at) ON TABLE public.attempt TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.exclusion TO elumiti_portal;
GRANT SELECT ON TABLE public.exclusion TO elumiti_scoring;

GRANT INSERT,DELETE,UPDATE ON TABLE public.result TO elumiti_portal;

GRANT SELECT(attempt_id) ON TABLE public.result TO elumiti_portal;

GRANT SELECT(run_id) ON TABLE public.result TO elumiti_portal;

GRANT SELECT ON TABLE public.sitting TO elumiti_engine;
GRANT SELECT ON TABLE public.sitting TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.sitting TO elumiti_portal;
GRANT SELECT ON TABLE public.sitting TO elumiti_scoring;
GRANT SELECT ON TABLE public.sitting TO elumiti_release;
GRANT SELECT ON TABLE public.sitting TO elumiti_proctoring;

GRANT SELECT(id) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(project) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(title) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(starts_at) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(last_entry_at) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(duration_s) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(ends_at) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT(state) ON TABLE public.sitting TO elumiti_status;

GRANT SELECT,INSERT,DELETE ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(rule_id) ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(why) ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(person_id) ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(decided_by) ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(decided_at) ON TABLE public.talent_unmatched TO elumiti_portal;

GRANT UPDATE(reason) ON TABLE public.talent_unmatched TO elumiti_portal;

REVOKE ALL ON FUNCTION public.participations_of(p_person bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.participations_of(p_person bigint) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.person_found(p_patterns text[], p_filter jsonb, p_most integer, p_order text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.person_found(p_patterns text[], p_filter jsonb, p_most integer, p_order text) TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person_document TO elumiti_portal;

REVOKE ALL ON FUNCTION public.person_of_document(p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.person_of_document(p_key text) TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO elumiti_portal;

GRANT SELECT(id) ON TABLE public.staff TO elumiti_scoring;

GRANT SELECT(full_name) ON TABLE public.staff TO elumiti_scoring;

REVOKE ALL ON FUNCTION public.persons_of_ones_own(staff integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.persons_of_ones_own(staff integer) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.pictures_refused() FROM PUBLIC;
GRANT ALL ON FUNCTION public.pictures_refused() TO elumiti_proctoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.review TO elumiti_portal;

REVOKE ALL ON FUNCTION public.reviews_of(p_about bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reviews_of(p_about bigint) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.set_photo(p_person bigint, p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_photo(p_person bigint, p_key text) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.settle_search() FROM PUBLIC;
GRANT ALL ON FUNCTION public.settle_search() TO elumiti_portal;

REVOKE ALL ON FUNCTION public.sitting_is_watched() FROM PUBLIC;

GRANT USAGE ON SEQUENCE public.person_id_seq TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.person_staging TO elumiti_portal;

REVOKE ALL ON FUNCTION public.staged_ids_taken(p_job bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.staged_ids_taken(p_job bigint) TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person_iin TO elumiti_portal;

REVOKE ALL ON FUNCTION public.staged_twins(p_job bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.staged_twins(p_job bigint) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.tell_hooks(p_projects text[], p_kind text, p_object text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tell_hooks(p_projects text[], p_kind text, p_object text) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.tie_names(p_person bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tie_names(p_person bigint) TO elumiti_portal;

REVOKE ALL ON FUNCTION public.watch_verdict_said() FROM PUBLIC;

GRANT SELECT ON TABLE keys.item_key TO elumiti_scoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.account_identity TO elumiti_portal;

GRANT SELECT ON TABLE public.attempt_device TO elumiti_engine;
GRANT SELECT,INSERT ON TABLE public.attempt_device TO elumiti_flusher;
GRANT SELECT,INSERT ON TABLE public.attempt_device TO elumiti_portal;
GRANT SELECT ON TABLE public.attempt_device TO elumiti_scoring;

GRANT SELECT(attempt_id) ON TABLE public.attempt_device TO elumiti_proctoring;

GRANT SELECT(device) ON TABLE public.attempt_device TO elumiti_proctoring;

GRANT UPDATE(epoch) ON TABLE public.attempt_device TO elumiti_flusher;
GRANT SELECT(epoch) ON TABLE public.attempt_device TO elumiti_proctoring;

GRANT SELECT(agent) ON TABLE public.attempt_device TO elumiti_proctoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.attempt_limit TO elumiti_flusher;
GRANT SELECT ON TABLE public.attempt_limit TO elumiti_engine;
GRANT SELECT ON TABLE public.attempt_limit TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.attempt_pulse TO elumiti_flusher;
GRANT SELECT ON TABLE public.attempt_pulse TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.attribute_field TO elumiti_portal;

GRANT SELECT ON TABLE public.audit_archived TO elumiti_portal;

GRANT SELECT ON TABLE public.audit_file TO elumiti_portal;

GRANT SELECT ON TABLE public.audit_head TO elumiti_portal;
GRANT SELECT ON TABLE public.audit_head TO elumiti_status;

GRANT SELECT ON TABLE public.audit_term TO elumiti_portal;

GRANT SELECT ON TABLE public.camera_consent TO elumiti_engine;
GRANT SELECT ON TABLE public.camera_consent TO elumiti_proctoring;
GRANT SELECT ON TABLE public.camera_consent TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.class_code TO elumiti_portal;

GRANT UPDATE(uses) ON TABLE public.class_code TO elumiti_portal;

GRANT UPDATE(ended_at) ON TABLE public.class_code TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.consent_ask TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.consent_text TO elumiti_portal;

GRANT SELECT ON TABLE public.control TO elumiti_engine;
GRANT SELECT ON TABLE public.control TO elumiti_flusher;
GRANT SELECT,INSERT ON TABLE public.control TO elumiti_portal;
GRANT SELECT ON TABLE public.control TO elumiti_scoring;
GRANT SELECT ON TABLE public.control TO elumiti_release;
GRANT SELECT ON TABLE public.control TO elumiti_proctoring;

GRANT UPDATE(relayed_at) ON TABLE public.control TO elumiti_flusher;

GRANT SELECT,INSERT ON TABLE public.control_seen TO elumiti_flusher;
GRANT SELECT ON TABLE public.control_seen TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.credit TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.dead_letter TO elumiti_flusher;
GRANT SELECT ON TABLE public.dead_letter TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.device_hold TO elumiti_flusher;
GRANT SELECT ON TABLE public.device_hold TO elumiti_portal;

GRANT SELECT ON TABLE public.district TO elumiti_engine;
GRANT SELECT ON TABLE public.district TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.district TO elumiti_portal;
GRANT SELECT ON TABLE public.district TO elumiti_scoring;
GRANT SELECT ON TABLE public.district TO elumiti_release;
GRANT SELECT ON TABLE public.district TO elumiti_proctoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.erasure TO elumiti_portal;

GRANT SELECT ON TABLE public.form TO elumiti_engine;
GRANT SELECT,INSERT,UPDATE ON TABLE public.form TO elumiti_portal;
GRANT SELECT ON TABLE public.form TO elumiti_scoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.form_item TO elumiti_portal;
GRANT SELECT ON TABLE public.form_item TO elumiti_scoring;

GRANT SELECT ON TABLE public.form_key TO elumiti_engine;
GRANT INSERT,DELETE,UPDATE ON TABLE public.form_key TO elumiti_portal;

GRANT SELECT(form_id) ON TABLE public.form_key TO elumiti_portal;

GRANT SELECT(section) ON TABLE public.form_key TO elumiti_portal;

GRANT SELECT(language) ON TABLE public.form_key TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.form_media TO elumiti_portal;

GRANT SELECT ON TABLE public.form_pack TO elumiti_engine;
GRANT SELECT ON TABLE public.form_pack TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.form_pack TO elumiti_portal;
GRANT SELECT ON TABLE public.form_pack TO elumiti_scoring;

GRANT SELECT ON TABLE public.form_section TO elumiti_engine;
GRANT SELECT,INSERT,UPDATE ON TABLE public.form_section TO elumiti_portal;
GRANT SELECT ON TABLE public.form_section TO elumiti_scoring;

GRANT SELECT ON TABLE public.generation TO elumiti_engine;
GRANT SELECT ON TABLE public.generation TO elumiti_flusher;
GRANT SELECT ON TABLE public.generation TO elumiti_portal;
GRANT SELECT ON TABLE public.generation TO elumiti_scoring;

GRANT SELECT ON TABLE public.incident TO elumiti_status;
GRANT SELECT,INSERT ON TABLE public.incident TO elumiti_portal;

GRANT UPDATE(ended_at) ON TABLE public.incident TO elumiti_portal;

GRANT UPDATE(ended_by) ON TABLE public.incident TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.item_ruling TO elumiti_portal;
GRANT SELECT ON TABLE public.item_ruling TO elumiti_scoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.job TO elumiti_portal;
GRANT SELECT,UPDATE ON TABLE public.job TO elumiti_scoring;

GRANT SELECT,INSERT,DELETE ON TABLE public.key_challenge TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.kpi_entry TO elumiti_portal;

GRANT SELECT ON TABLE public.kpi_known TO elumiti_portal;

GRANT SELECT ON TABLE public.kpi_measure TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.machine_change TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.machine_client TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.machine_external TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.machine_said TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.machine_shut TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.machine_user TO elumiti_portal;

GRANT SELECT ON TABLE public.migration TO elumiti_engine;
GRANT SELECT ON TABLE public.migration TO elumiti_flusher;
GRANT SELECT ON TABLE public.migration TO elumiti_portal;
GRANT SELECT ON TABLE public.migration TO elumiti_scoring;
GRANT SELECT ON TABLE public.migration TO elumiti_status;
GRANT SELECT ON TABLE public.migration TO elumiti_release;
GRANT SELECT ON TABLE public.migration TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notice TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notice_wish TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_client TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_code TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_consent TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_key TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_login TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_logout TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_subject TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_token TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.object_let_go TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.outage TO elumiti_status;
GRANT SELECT ON TABLE public.outage TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.participant_staging TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.pending_act TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pending_identity TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.person_merge TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person_project TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person_twin TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.picture TO elumiti_proctoring;
GRANT SELECT ON TABLE public.picture TO elumiti_portal;

GRANT UPDATE(sealed_at) ON TABLE public.picture TO elumiti_proctoring;
GRANT UPDATE(sealed_at) ON TABLE public.picture TO elumiti_portal;

GRANT UPDATE(checks) ON TABLE public.picture TO elumiti_proctoring;

GRANT SELECT ON TABLE public.picture_hold TO elumiti_proctoring;
GRANT SELECT,INSERT,UPDATE ON TABLE public.picture_hold TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.picture_key TO elumiti_proctoring;

GRANT SELECT ON TABLE public.picture_proof TO elumiti_portal;
GRANT SELECT,INSERT ON TABLE public.picture_proof TO elumiti_proctoring;

GRANT INSERT(sitting_id) ON TABLE public.picture_proof TO elumiti_portal;

GRANT INSERT(attempt_id) ON TABLE public.picture_proof TO elumiti_portal;

GRANT INSERT(asked_by) ON TABLE public.picture_proof TO elumiti_portal;

GRANT UPDATE(checked_at) ON TABLE public.picture_proof TO elumiti_proctoring;

GRANT UPDATE(holds) ON TABLE public.picture_proof TO elumiti_proctoring;

GRANT UPDATE(report) ON TABLE public.picture_proof TO elumiti_proctoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.picture_seal TO elumiti_portal;
GRANT SELECT ON TABLE public.picture_seal TO elumiti_proctoring;

GRANT UPDATE(erased_at) ON TABLE public.picture_seal TO elumiti_proctoring;

GRANT SELECT,INSERT ON TABLE public.picture_seal_look TO elumiti_portal;
GRANT SELECT ON TABLE public.picture_seal_look TO elumiti_proctoring;

GRANT SELECT,INSERT ON TABLE public.picture_segment TO elumiti_proctoring;
GRANT SELECT ON TABLE public.picture_segment TO elumiti_portal;

GRANT UPDATE(erased_at) ON TABLE public.picture_segment TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE ON TABLE public.picture_segment_sitting TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE ON TABLE public.picture_sitting_key TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.picture_to_check TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.post TO elumiti_portal;

GRANT SELECT ON TABLE public.project TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.project_module TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.proof TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.quota_plan TO elumiti_portal;
GRANT SELECT ON TABLE public.quota_plan TO elumiti_scoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading TO elumiti_portal;

GRANT SELECT ON TABLE public.region TO elumiti_engine;
GRANT SELECT ON TABLE public.region TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.region TO elumiti_portal;
GRANT SELECT ON TABLE public.region TO elumiti_scoring;
GRANT SELECT ON TABLE public.region TO elumiti_proctoring;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registration TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.registration_miss TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.rescue_file TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reset_ask TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.response_conflict TO elumiti_flusher;
GRANT SELECT,INSERT ON TABLE public.response_conflict TO elumiti_portal;
GRANT SELECT ON TABLE public.response_conflict TO elumiti_scoring;

GRANT SELECT ON TABLE public.response_event TO elumiti_engine;
GRANT SELECT,INSERT ON TABLE public.response_event TO elumiti_flusher;
GRANT SELECT,INSERT ON TABLE public.response_event TO elumiti_portal;
GRANT SELECT ON TABLE public.response_event TO elumiti_scoring;

GRANT SELECT,INSERT ON TABLE public.result_run TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.role TO elumiti_portal;

GRANT SELECT ON TABLE public.room TO elumiti_engine;
GRANT SELECT ON TABLE public.room TO elumiti_flusher;
GRANT SELECT,INSERT,DELETE ON TABLE public.room TO elumiti_portal;
GRANT SELECT ON TABLE public.room TO elumiti_scoring;
GRANT SELECT ON TABLE public.room TO elumiti_release;

GRANT INSERT,DELETE ON TABLE public.room_code TO elumiti_portal;
GRANT SELECT ON TABLE public.room_code TO elumiti_release;

GRANT SELECT(form_id) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(form_id) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(form_id) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(number) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(number) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(number) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(blob) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(blob) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(blob) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(room_id) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(room_id) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(room_id) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(closed_at) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(closed_at),UPDATE(closed_at) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(closed_at) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(closed_reason) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(closed_reason),UPDATE(closed_reason) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(closed_reason) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT(changed_in) ON TABLE public.room_code TO elumiti_engine;
GRANT SELECT(changed_in),UPDATE(changed_in) ON TABLE public.room_code TO elumiti_flusher;
GRANT SELECT(changed_in) ON TABLE public.room_code TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.room_code_open TO elumiti_release;
GRANT SELECT ON TABLE public.room_code_open TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.room_opening TO elumiti_flusher;
GRANT SELECT ON TABLE public.room_opening TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.saved_view TO elumiti_portal;

GRANT SELECT ON TABLE public.school TO elumiti_engine;
GRANT SELECT ON TABLE public.school TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.school TO elumiti_portal;
GRANT SELECT ON TABLE public.school TO elumiti_scoring;
GRANT SELECT ON TABLE public.school TO elumiti_release;
GRANT SELECT ON TABLE public.school TO elumiti_proctoring;

GRANT SELECT,INSERT ON TABLE public.score_run TO elumiti_scoring;
GRANT SELECT ON TABLE public.score_run TO elumiti_portal;

GRANT UPDATE(published_at) ON TABLE public.score_run TO elumiti_portal;

GRANT SELECT ON TABLE public.seal TO elumiti_engine;
GRANT SELECT,INSERT ON TABLE public.seal TO elumiti_flusher;
GRANT SELECT ON TABLE public.seal TO elumiti_portal;
GRANT SELECT ON TABLE public.seal TO elumiti_scoring;

GRANT SELECT ON TABLE public.setting TO elumiti_engine;
GRANT SELECT ON TABLE public.setting TO elumiti_flusher;
GRANT SELECT,INSERT,UPDATE ON TABLE public.setting TO elumiti_portal;
GRANT SELECT ON TABLE public.setting TO elumiti_scoring;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sign_in_address TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.signon_flow TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.signon_provider TO elumiti_portal;

GRANT SELECT ON TABLE public.sitting_region TO elumiti_engine;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sitting_region TO elumiti_portal;
GRANT SELECT ON TABLE public.sitting_region TO elumiti_scoring;
GRANT SELECT ON TABLE public.sitting_region TO elumiti_release;

GRANT SELECT,INSERT,UPDATE ON TABLE public.sitting_review TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.staff_key TO elumiti_portal;

GRANT UPDATE(sign_count) ON TABLE public.staff_key TO elumiti_portal;

GRANT UPDATE(used_at) ON TABLE public.staff_key TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_link TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_session TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_totp TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.stream_position TO elumiti_engine;
GRANT SELECT,UPDATE ON TABLE public.stream_position TO elumiti_flusher;
GRANT SELECT ON TABLE public.stream_position TO elumiti_portal;

GRANT UPDATE(retired_at) ON TABLE public.stream_position TO elumiti_engine;

GRANT SELECT,INSERT,DELETE ON TABLE public.talent TO elumiti_portal;

GRANT UPDATE(left_at) ON TABLE public.talent TO elumiti_portal;

GRANT UPDATE(left_why) ON TABLE public.talent TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.talent_access TO elumiti_portal;

GRANT UPDATE(ended_at) ON TABLE public.talent_access TO elumiti_portal;

GRANT UPDATE(ended_by) ON TABLE public.talent_access TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.talent_copy TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.talent_rule TO elumiti_portal;

GRANT UPDATE(state) ON TABLE public.talent_rule TO elumiti_portal;

GRANT UPDATE(agreed_by) ON TABLE public.talent_rule TO elumiti_portal;

GRANT UPDATE(switched_at) ON TABLE public.talent_rule TO elumiti_portal;

GRANT SELECT ON TABLE public.test TO elumiti_engine;
GRANT SELECT,INSERT,UPDATE ON TABLE public.test TO elumiti_portal;
GRANT SELECT ON TABLE public.test TO elumiti_scoring;

GRANT SELECT(id) ON TABLE public.test TO elumiti_release;

GRANT SELECT(languages) ON TABLE public.test TO elumiti_release;

GRANT SELECT,INSERT ON TABLE public.tried TO elumiti_flusher;
GRANT SELECT ON TABLE public.tried TO elumiti_portal;

GRANT UPDATE(weighed_at) ON TABLE public.tried TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.waiting_decision TO elumiti_portal;
GRANT SELECT ON TABLE public.waiting_decision TO elumiti_scoring;

GRANT SELECT,INSERT ON TABLE public.waived_review TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.waiver TO elumiti_portal;

GRANT UPDATE(ends_at) ON TABLE public.waiver TO elumiti_portal;

GRANT UPDATE(ended_by) ON TABLE public.waiver TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_act TO elumiti_portal;

GRANT UPDATE(over_at) ON TABLE public.watch_act TO elumiti_portal;

GRANT UPDATE(sampled) ON TABLE public.watch_act TO elumiti_portal;

GRANT UPDATE(sampled_by) ON TABLE public.watch_act TO elumiti_portal;

GRANT UPDATE(sampled_at) ON TABLE public.watch_act TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.watch_appeal TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_case TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_case_note TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.watch_event TO elumiti_proctoring;
GRANT SELECT ON TABLE public.watch_event TO elumiti_portal;

GRANT SELECT,INSERT,DELETE ON TABLE public.watch_evidence TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watch_flood TO elumiti_proctoring;
GRANT SELECT ON TABLE public.watch_flood TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watch_hand TO elumiti_portal;

GRANT SELECT(attempt_id) ON TABLE public.watch_hand TO elumiti_proctoring;

GRANT SELECT(staff_id) ON TABLE public.watch_hand TO elumiti_proctoring;

GRANT SELECT,INSERT ON TABLE public.watch_live TO elumiti_portal;
GRANT SELECT ON TABLE public.watch_live TO elumiti_proctoring;

GRANT UPDATE(began_at) ON TABLE public.watch_live TO elumiti_proctoring;

GRANT UPDATE(ends_at) ON TABLE public.watch_live TO elumiti_proctoring;

GRANT UPDATE(ended_at) ON TABLE public.watch_live TO elumiti_portal;
GRANT UPDATE(ended_at) ON TABLE public.watch_live TO elumiti_proctoring;

GRANT UPDATE(why) ON TABLE public.watch_live TO elumiti_portal;
GRANT UPDATE(why) ON TABLE public.watch_live TO elumiti_proctoring;

GRANT SELECT,INSERT ON TABLE public.watch_look TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_opening TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watch_review_hand TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_ruling TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watch_score TO elumiti_proctoring;
GRANT SELECT ON TABLE public.watch_score TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watch_to_score TO elumiti_proctoring;
GRANT INSERT ON TABLE public.watch_to_score TO elumiti_portal;

GRANT SELECT,INSERT ON TABLE public.watch_verdict TO elumiti_portal;

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook TO elumiti_portal;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_delivery TO elumiti_portal;
