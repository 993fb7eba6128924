SELECT RELEASE_LOCK(CONCAT('oversell_sim_', :item))
