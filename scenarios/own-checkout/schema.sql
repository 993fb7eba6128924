CREATE TABLE product (
    id    INTEGER PRIMARY KEY,
    stock INTEGER NOT NULL
);

CREATE TABLE purchase (
    buyer   INTEGER NOT NULL,
    product INTEGER NOT NULL REFERENCES product (id),
    qty     INTEGER NOT NULL
);
