UPDATE oversell_sim_holds SET state = 3
WHERE buyer = :buyer AND item = :item AND state = 0 AND expires_ms > :now_ms
