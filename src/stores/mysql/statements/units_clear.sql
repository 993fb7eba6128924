-- With the numbers beginning anew, so that each order names the same units.
TRUNCATE TABLE oversell_sim_units
