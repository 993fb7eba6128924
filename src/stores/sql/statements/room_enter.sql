SET search_path = oversell_sim_checkout
