CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
CREATE TABLE purchase (
    id serial PRIMARY KEY,
    buyer int NOT NULL,
    product int NOT NULL REFERENCES product
);
INSERT INTO product VALUES (1, 1);
