INSERT INTO giftcards (id, balance) VALUES (1, 10);
