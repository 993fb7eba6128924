CREATE TABLE voucher (
    id   INT PRIMARY KEY,
    code TEXT NOT NULL
);

CREATE TABLE voucher_application (
    id       SERIAL PRIMARY KEY,
    voucher  INT NOT NULL REFERENCES voucher,
    customer INT NOT NULL
);
