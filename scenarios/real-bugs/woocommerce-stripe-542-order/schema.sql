CREATE TABLE product (
    id    INT PRIMARY KEY,
    stock INT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE orders (
    id       INT PRIMARY KEY,
    product  INT NOT NULL,
    quantity INT NOT NULL,
    status   VARCHAR(20) NOT NULL
) ENGINE = InnoDB;
