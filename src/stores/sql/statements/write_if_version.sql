UPDATE oversell_sim_shelf SET stock = :stock, version = version + 1
WHERE item = :item AND version = :version
