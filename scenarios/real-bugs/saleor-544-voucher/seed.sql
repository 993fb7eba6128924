INSERT INTO voucher (id, usage_limit, used) VALUES (1, 1, 0);
