UPDATE oversell_sim_shelf SET stock = stock + :qty WHERE item = :item RETURNING stock
