SELECT stock, given_back FROM oversell_sim_shelf ORDER BY item
