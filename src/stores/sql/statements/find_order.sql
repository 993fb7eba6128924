SELECT COUNT(*) FROM oversell_sim_orders WHERE buyer = :buyer
