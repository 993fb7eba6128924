-- Units that no other buyer is about to take. A buyer that sees fewer than it wants may be told "sold out" although
-- another buyer puts some back a moment later.
SELECT id FROM oversell_sim_units WHERE item = :item ORDER BY id LIMIT :qty FOR UPDATE SKIP LOCKED
