INSERT INTO product (id, stock) VALUES (1, 1);
