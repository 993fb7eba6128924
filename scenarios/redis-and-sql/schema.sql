CREATE TABLE purchase (
    buyer   INTEGER NOT NULL PRIMARY KEY,
    product INTEGER NOT NULL,
    qty     INTEGER NOT NULL
);
