UPDATE oversell_sim_shelf SET stock = stock + :qty, given_back = given_back + :qty WHERE item = :item
