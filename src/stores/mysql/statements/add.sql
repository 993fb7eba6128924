-- The session variable keeps what is left, for the statement after this.
UPDATE oversell_sim_shelf SET stock = (@left := stock + :qty) WHERE item = :item
