DROP TABLE IF EXISTS oversell_sim_units;
DROP TABLE IF EXISTS oversell_sim_holds;
DROP TABLE IF EXISTS oversell_sim_orders;
DROP TABLE IF EXISTS oversell_sim_shelf;
