CREATE TABLE busy (owner int);
CREATE TABLE taken (id int PRIMARY KEY);
INSERT INTO busy VALUES (NULL);
