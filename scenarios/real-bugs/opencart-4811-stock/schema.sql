CREATE TABLE product (
    id       INT PRIMARY KEY,
    quantity INT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE order_product (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    customer INT NOT NULL,
    product  INT NOT NULL,
    quantity INT NOT NULL
) ENGINE = InnoDB;
