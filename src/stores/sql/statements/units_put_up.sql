-- A row a unit: the next number is the first in the row.
INSERT INTO oversell_sim_units (item) VALUES (:item)
