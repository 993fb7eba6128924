INSERT INTO voucher (id, code) VALUES (1, 'ONCE');
