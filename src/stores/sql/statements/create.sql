CREATE TABLE oversell_sim_shelf (
    item INTEGER PRIMARY KEY,
    stock INTEGER NOT NULL,
    initial INTEGER NOT NULL,
    version INTEGER NOT NULL,
    given_back INTEGER NOT NULL
);
CREATE TABLE oversell_sim_orders (
    buyer INTEGER NOT NULL,
    item INTEGER NOT NULL,
    qty INTEGER NOT NULL,
    once INTEGER,
    UNIQUE (once, item)
);
CREATE INDEX oversell_sim_orders_of ON oversell_sim_orders (buyer);
CREATE TABLE oversell_sim_holds (
    buyer INTEGER PRIMARY KEY,
    item INTEGER NOT NULL,
    qty INTEGER NOT NULL,
    state INTEGER NOT NULL,
    expires_ms BIGINT NOT NULL
);
