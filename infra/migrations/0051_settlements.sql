-- 0051_settlements.sql
-- Why     The territory has a third level, settlements, and the house two kinds of places to learn: schools and centres
--         (SPEC R1). Both are kept by staff, not by an engineer.
-- Locks   school: access exclusive for the catalogue and while a trigger is made; constant defaults rewrite nothing.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads them. Older code ignores them.
-- Back    drop the triggers, the columns, the table and the permissions' rows.
set local lock_timeout = '2s';

create table settlement (
    id int generated always as identity primary key,
    district_id int not null references district (id),
    kind text not null check (kind in ('city', 'town', 'village')),
    kato text unique check (kato ~ '^[0-9]{9}$'),
    name_kk text not null check (name_kk <> ''),
    name_ru text not null check (name_ru <> ''),
    name_en text not null check (name_en <> '')
);
comment on table settlement is 'Third level of the territory: a city, a town or a village of a district.';
comment on column settlement.kato is 'Code of the national classifier of territories (KATO), if known.';
create index settlement_district on settlement (district_id, kk(name_kk), id);
create unique index settlement_name on settlement (district_id, lower(name_kk));

alter table school
    add column settlement_id int references settlement (id),
    add column kind text not null default 'school' check (kind in ('school', 'centre')),
    add column closed_at timestamptz;
comment on column school.kind is 'A school, or a centre of Qabilet or of a partner.';
comment on column school.closed_at is 'Closed then: in no list to choose from; what hangs on it stays.';
create index school_settlement on school (settlement_id) where settlement_id is not null;

-- A settlement lies in one district: its schools follow, whoever writes which of the two.
create function school_place() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    if new.settlement_id is not null then
        select s.district_id into new.district_id from settlement s where s.id = new.settlement_id;
    end if;
    return new;
end
$$;
create trigger school_place before insert or update of settlement_id, district_id on school
    for each row execute function school_place();
create function settlement_moved() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as
$$
begin
    update school set district_id = new.district_id where settlement_id = new.id;
    return null;
end
$$;
create trigger settlement_moved after update of district_id on settlement
    for each row when (old.district_id is distinct from new.district_id) execute function settlement_moved();

grant select, insert, update on settlement to elumiti_portal;
grant insert, update on school, district to elumiti_portal;

insert into role_permission (role, permission, at_rest)
select role, permission, role = 'super-admin' and permission = 'place.view'
from (values
    ('super-admin', array['place.view', 'place.edit']),
    ('system-admin', array['place.view', 'place.edit']),
    ('test-administrator', array['place.view', 'place.edit']),
    ('myn-bala-coordinator', array['place.view', 'place.edit']),
    ('qabilet-coordinator', array['place.view', 'place.edit']),
    ('birge-coordinator', array['place.view', 'place.edit']),
    ('myn-bala-school-manager', array['place.view']),
    ('quality-manager', array['place.view']),
    ('analyst', array['place.view'])
) as given (role, permissions), unnest(permissions) as permission
on conflict do nothing;
