INSERT INTO cart (id) VALUES (1);
INSERT INTO cart_item (cart, price) VALUES (1, 10.00);
