DROP DATABASE IF EXISTS oversell_sim_checkout
