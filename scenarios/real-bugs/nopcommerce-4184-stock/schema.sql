CREATE TABLE product (
    id       INT PRIMARY KEY,
    stock_quantity INT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE order_item (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    customer INT NOT NULL,
    product  INT NOT NULL,
    quantity INT NOT NULL
) ENGINE = InnoDB;
