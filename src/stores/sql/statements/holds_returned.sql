UPDATE oversell_sim_holds SET state = 3 WHERE item = :item AND state = 2
