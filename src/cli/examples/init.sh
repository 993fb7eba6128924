# A checkout in SQL statements, for PostgreSQL
oversell-sim init sql my-checkout --store postgres
# A web shop in Python with a file that describes it
oversell-sim init app my-shop
