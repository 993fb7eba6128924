-- The buyer is the idempotency key: of two who write at once, one writes.
INSERT IGNORE INTO oversell_sim_orders (buyer, item, qty, once)
SELECT :buyer, :item, :qty, :buyer FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM oversell_sim_orders WHERE buyer = :buyer)
