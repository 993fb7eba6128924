UPDATE oversell_sim_shelf SET stock = :stock WHERE item = :item
