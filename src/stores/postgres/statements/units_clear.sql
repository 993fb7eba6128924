-- With the numbers beginning anew, so that each order names the same units.
TRUNCATE oversell_sim_units RESTART IDENTITY
