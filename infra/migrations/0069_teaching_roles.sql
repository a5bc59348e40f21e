-- 0069_teaching_roles.sql
-- Why     Who teaches sees a class and own pupils in the registry, never all of a school or region, whatever the territory
--         of the grant: a list of a school's children is not needed to teach (SAFETY P1).
-- Locks   role: access exclusive for the catalogue; the constant default rewrites nothing.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that reads it. The older portal ignores it: wider, as it was.
-- Back    drop the column.
set local lock_timeout = '2s';

alter table role add column teaches boolean not null default false;
comment on column role.teaches is 'Of the registry it reaches a class or own pupils alone; a grant without either means own pupils.';
update role set teaches = true
where code in ('birge-teacher', 'birge-tutor', 'birge-assistant', 'qabilet-teacher', 'qabilet-specialist');
