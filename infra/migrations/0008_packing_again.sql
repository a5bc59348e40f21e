-- 0008_packing_again.sql
-- Why     Packing a form again replaces its sealed keys; the packer may do so without being able to read one.
-- Locks   none.
-- Time    milliseconds.
-- Order   before the packer that relies on it.
-- Back    revoke.
grant delete, select (form_id, section, language) on form_key to elumiti_portal;
