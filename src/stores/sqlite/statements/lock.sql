-- SQLite has no row locks: this begins to write, and whoever writes is alone.
UPDATE oversell_sim_shelf SET stock = stock WHERE item = :item
