CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
CREATE TABLE purchase (id serial PRIMARY KEY, buyer int NOT NULL, product int NOT NULL REFERENCES product);
CREATE TABLE job (id serial PRIMARY KEY, buyer int NOT NULL, done boolean NOT NULL);
INSERT INTO product VALUES (1, 1);
