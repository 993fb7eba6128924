CREATE TABLE product (id INT PRIMARY KEY, stock INT NOT NULL) ENGINE = InnoDB;
CREATE TABLE purchase (
    id INT AUTO_INCREMENT PRIMARY KEY,
    buyer INT NOT NULL,
    product INT NOT NULL,
    FOREIGN KEY (product) REFERENCES product (id)
) ENGINE = InnoDB;
INSERT INTO product VALUES (1, 1);
