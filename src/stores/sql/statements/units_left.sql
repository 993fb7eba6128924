SELECT COUNT(*) FROM oversell_sim_units WHERE item = :item
