"""A buyer that is a program: it buys one unit for the buyer whose number it is given, or exits with 3 if there is none. It
looks and then writes, or locks the row first (MODE)."""
import os
import sys

import psycopg2

SOLD_OUT = 3

buyer = int(sys.argv[1])
connection = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = connection.cursor()
lock = " FOR UPDATE" if os.environ.get("MODE") == "lock" else ""
cursor.execute("SELECT stock FROM product WHERE id = 1" + lock)
stock = cursor.fetchone()[0]
if stock < 1:
    print("sold out")
    sys.exit(SOLD_OUT)
cursor.execute("UPDATE product SET stock = %s WHERE id = 1", (stock - 1,))
cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (buyer,))
connection.commit()
print(f"bought by {buyer}")
