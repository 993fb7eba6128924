SELECT stock, version FROM oversell_sim_shelf WHERE item = :item
