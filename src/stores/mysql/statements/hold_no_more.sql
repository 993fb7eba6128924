-- A query: the statements that remove what holds changes inside the server.
SELECT CONCAT('DROP TRIGGER `', trigger_schema, '`.`', trigger_name, '`')
FROM information_schema.triggers
WHERE trigger_name LIKE 'oversell\_sim\_hold\_%'
