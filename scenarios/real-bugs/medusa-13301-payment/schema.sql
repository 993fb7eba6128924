CREATE TABLE payment (
    id          INT PRIMARY KEY,
    amount      NUMERIC(10, 2) NOT NULL,
    captured_at TIMESTAMPTZ
);

-- What has been asked of the payment provider.
CREATE TABLE capture (
    id      SERIAL PRIMARY KEY,
    payment INT NOT NULL REFERENCES payment,
    amount  NUMERIC(10, 2) NOT NULL
);
