-- 0079_weights_of_a_sitting.sql
-- Why     What events weigh may be said otherwise for one sitting (SPEC P2): the portal asks for its scores to be worked out anew.
-- Locks   none on rows: a grant.
-- Time    milliseconds; gives up after 2 s rather than queue behind a long reader.
-- Order   before the portal that asks. The older one asks for nothing.
-- Back    revoke insert on watch_to_score from elumiti_portal.
set local lock_timeout = '2s';

grant insert on watch_to_score to elumiti_portal;
