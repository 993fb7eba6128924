-- A buyer has one hold: what is over makes way.
INSERT INTO oversell_sim_holds (buyer, item, qty, state, expires_ms)
VALUES (:buyer, :item, :qty, 0, :expires_ms)
