SELECT buyer FROM oversell_sim_holds WHERE state = 0
