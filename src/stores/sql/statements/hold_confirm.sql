UPDATE oversell_sim_holds SET state = 1
WHERE buyer = :buyer AND item = :item AND (state = 1 OR (state = 0 AND expires_ms > :now_ms))
