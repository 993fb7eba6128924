DELETE FROM oversell_sim_units WHERE id = :id
