UPDATE oversell_sim_shelf SET stock = :new WHERE item = :item AND stock = :expected
