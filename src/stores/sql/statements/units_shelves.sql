SELECT (SELECT COUNT(*) FROM oversell_sim_units WHERE oversell_sim_units.item = shelf.item), given_back
FROM oversell_sim_shelf AS shelf ORDER BY item
