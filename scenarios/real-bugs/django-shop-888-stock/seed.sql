INSERT INTO inventory (product, quantity) VALUES (1, 1);
