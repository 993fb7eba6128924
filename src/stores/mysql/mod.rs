//! Stock in a MariaDB or MySQL server.
