-- The stock is no column: it is the sum of what came in and went out.
CREATE TABLE stock_level_adjustments (
    id         INT AUTO_INCREMENT PRIMARY KEY,
    item_id    INT NOT NULL,
    adjustment INT NOT NULL,
    parent_id  INT,
    KEY (item_id)
) ENGINE = InnoDB;

CREATE TABLE order_items (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    order_id INT NOT NULL,
    item_id  INT NOT NULL,
    quantity INT NOT NULL
) ENGINE = InnoDB;

-- For the cure alone: a row to be locked.
CREATE TABLE products (id INT PRIMARY KEY) ENGINE = InnoDB;
