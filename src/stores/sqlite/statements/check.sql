DROP TABLE oversell_sim_shelf;
CREATE TABLE oversell_sim_shelf (
    item INTEGER PRIMARY KEY,
    stock INTEGER NOT NULL CHECK (stock >= 0),
    initial INTEGER NOT NULL,
    version INTEGER NOT NULL,
    given_back INTEGER NOT NULL
);
