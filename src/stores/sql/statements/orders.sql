SELECT buyer, item, qty FROM oversell_sim_orders
