SELECT initial - (SELECT COALESCE(SUM(qty), 0) FROM oversell_sim_orders WHERE oversell_sim_orders.item = shelf.item),
    given_back
FROM oversell_sim_shelf AS shelf ORDER BY item
