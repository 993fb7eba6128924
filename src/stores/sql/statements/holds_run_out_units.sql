SELECT COALESCE(SUM(qty), 0) FROM oversell_sim_holds WHERE item = :item AND state = 2
