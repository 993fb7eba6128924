UPDATE oversell_sim_holds SET state = 2
WHERE item = :item AND state = 0 AND expires_ms <= :now_ms
