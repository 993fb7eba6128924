SELECT 'DROP DATABASE IF EXISTS oversell_sim_checkout'
UNION ALL
SELECT 'CREATE DATABASE oversell_sim_checkout'
