INSERT INTO product (id, stock_quantity) VALUES (1, 2);
