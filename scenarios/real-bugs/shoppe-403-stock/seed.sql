INSERT INTO products (id) VALUES (1);
INSERT INTO stock_level_adjustments (item_id, adjustment) VALUES (1, 1);
