INSERT INTO product (id, stock) VALUES (1, 5);
INSERT INTO orders (id, product, quantity, status) VALUES (1, 1, 1, 'pending');
