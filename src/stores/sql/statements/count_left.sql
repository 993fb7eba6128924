SELECT initial - (SELECT COALESCE(SUM(qty), 0) FROM oversell_sim_orders WHERE item = :item)
FROM oversell_sim_shelf WHERE item = :item
