-- A query: the statements that remove what holds changes inside the server. Its triggers go with the function.
SELECT 'DROP SCHEMA IF EXISTS oversell_sim_hold CASCADE'
