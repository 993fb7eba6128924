CREATE TABLE source_item (
    sku      INT PRIMARY KEY,
    quantity INT NOT NULL
) ENGINE = InnoDB;

-- What is promised and not yet sent: salable is the quantity less what stands here.
CREATE TABLE reservation (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    sku      INT NOT NULL,
    quantity INT NOT NULL,
    KEY (sku)
) ENGINE = InnoDB;

CREATE TABLE sales_order_item (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    customer INT NOT NULL,
    sku      INT NOT NULL,
    quantity INT NOT NULL
) ENGINE = InnoDB;
