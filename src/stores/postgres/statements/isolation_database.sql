CREATE DATABASE isolation_regression TEMPLATE template0;
ALTER DATABASE isolation_regression SET lc_messages TO 'C';
ALTER DATABASE isolation_regression SET lc_monetary TO 'C';
ALTER DATABASE isolation_regression SET lc_numeric TO 'C';
ALTER DATABASE isolation_regression SET lc_time TO 'C';
ALTER DATABASE isolation_regression SET bytea_output TO 'hex';
ALTER DATABASE isolation_regression SET timezone_abbreviations TO 'Default';
