-- SQLite has no row locks: this begins to write, and only one session can write.
UPDATE oversell_sim_shelf SET stock = stock WHERE item = :item
