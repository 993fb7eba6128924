INSERT INTO payment (id, amount) VALUES (1, 19.90);
