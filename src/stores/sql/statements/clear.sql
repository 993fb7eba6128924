DELETE FROM oversell_sim_holds;
DELETE FROM oversell_sim_orders;
DELETE FROM oversell_sim_shelf;
