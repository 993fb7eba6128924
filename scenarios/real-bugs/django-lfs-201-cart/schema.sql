CREATE TABLE cart (
    id INT PRIMARY KEY
);

CREATE TABLE cart_item (
    id    SERIAL PRIMARY KEY,
    cart  INT NOT NULL REFERENCES cart,
    price NUMERIC(10, 2) NOT NULL
);

CREATE TABLE orders (
    id    SERIAL PRIMARY KEY,
    cart  INT NOT NULL,
    total NUMERIC(10, 2) NOT NULL
);

CREATE TABLE order_item (
    id     SERIAL PRIMARY KEY,
    orders INT NOT NULL REFERENCES orders,
    price  NUMERIC(10, 2) NOT NULL
);
