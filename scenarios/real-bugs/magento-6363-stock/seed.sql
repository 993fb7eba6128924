INSERT INTO source_item (sku, quantity) VALUES (1, 1);
