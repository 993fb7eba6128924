SELECT 'DROP SCHEMA IF EXISTS oversell_sim_checkout CASCADE'
UNION ALL
SELECT 'CREATE SCHEMA oversell_sim_checkout'
