CREATE TABLE inventory (
    product  INT PRIMARY KEY,
    quantity INT NOT NULL
);

CREATE TABLE order_item (
    id       SERIAL PRIMARY KEY,
    customer INT NOT NULL,
    product  INT NOT NULL,
    quantity INT NOT NULL
);
