CREATE TABLE giftcards (
    id      INT PRIMARY KEY,
    balance INT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE giftcard_payment (
    id       INT AUTO_INCREMENT PRIMARY KEY,
    giftcard INT NOT NULL,
    payment  INT NOT NULL,
    amount   INT NOT NULL
) ENGINE = InnoDB;
