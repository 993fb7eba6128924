SELECT COUNT(*) FROM sqlite_master WHERE name = 'oversell_sim_parts'
