-- A hold's state is 0 while it stands, 1 confirmed, 2 run out, 3 given back.
SELECT item, qty, state FROM oversell_sim_holds WHERE buyer = :buyer
