CREATE TABLE cart_rule (
    id       INT PRIMARY KEY,
    quantity INT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE order_cart_rule (
    id        INT AUTO_INCREMENT PRIMARY KEY,
    customer  INT NOT NULL,
    cart_rule INT NOT NULL
) ENGINE = InnoDB;
