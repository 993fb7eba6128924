SELECT stock FROM oversell_sim_shelf WHERE item = :item
