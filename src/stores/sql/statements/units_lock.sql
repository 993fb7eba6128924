-- Units that nobody else is about to take. Whoever sees fewer than it wants may be told "sold out" although
-- somebody else puts some back a moment later.
SELECT id FROM oversell_sim_units WHERE item = :item ORDER BY id LIMIT :qty FOR UPDATE SKIP LOCKED
