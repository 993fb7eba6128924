INSERT INTO cart_rule (id, quantity) VALUES (1, 1);
