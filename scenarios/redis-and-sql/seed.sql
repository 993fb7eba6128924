-- A run begins with no order. What is in stock, `setup` says.
DELETE FROM purchase;
