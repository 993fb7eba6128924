DROP SCHEMA IF EXISTS oversell_sim_checkout CASCADE
