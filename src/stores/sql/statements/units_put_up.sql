-- A row a unit: the next number is whoever sits in front.
INSERT INTO oversell_sim_units (item) VALUES (:item)
