CREATE TABLE purchase (
    id      SERIAL PRIMARY KEY,
    buyer   INT NOT NULL,
    product INT NOT NULL
);
