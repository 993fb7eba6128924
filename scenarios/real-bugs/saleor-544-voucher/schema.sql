CREATE TABLE voucher (
    id          INT PRIMARY KEY,
    usage_limit INT NOT NULL,
    used        INT NOT NULL
);

CREATE TABLE orders (
    id       SERIAL PRIMARY KEY,
    customer INT NOT NULL,
    voucher  INT
);
