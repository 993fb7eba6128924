DELETE FROM oversell_sim_holds WHERE buyer = :buyer
