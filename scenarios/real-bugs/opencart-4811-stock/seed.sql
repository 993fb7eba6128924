INSERT INTO product (id, quantity) VALUES (1, 1);
