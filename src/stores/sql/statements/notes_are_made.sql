SELECT COUNT(*) FROM information_schema.tables
WHERE table_name = 'oversell_sim_parts' AND table_schema = CURRENT_SCHEMA()
