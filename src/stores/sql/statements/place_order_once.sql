-- The buyer is the idempotency key: of two who write at once, one writes.
INSERT INTO oversell_sim_orders (buyer, item, qty, once)
SELECT CAST(:buyer AS INTEGER), CAST(:item AS INTEGER), CAST(:qty AS INTEGER), CAST(:buyer AS INTEGER)
WHERE NOT EXISTS (SELECT 1 FROM oversell_sim_orders WHERE buyer = :buyer)
ON CONFLICT DO NOTHING
