UPDATE oversell_sim_shelf SET stock = stock - :qty WHERE item = :item AND stock >= :qty
