INSERT INTO oversell_sim_shelf (item, stock, initial, version, given_back) VALUES (:item, :stock, :stock, 0, 0)
