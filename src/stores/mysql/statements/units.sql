CREATE TABLE oversell_sim_units (id INTEGER AUTO_INCREMENT PRIMARY KEY, item INTEGER NOT NULL);
CREATE INDEX oversell_sim_units_of ON oversell_sim_units (item, id)
