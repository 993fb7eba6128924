-- Rows that are deleted leave work behind, which the server would do in the middle of the next race.
TRUNCATE oversell_sim_holds, oversell_sim_orders, oversell_sim_shelf
