INSERT INTO oversell_sim_orders (buyer, item, qty) VALUES (:buyer, :item, :qty)
