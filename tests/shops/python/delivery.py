"""A shop that answers requests, and a worker beside it: `python3 delivery.py unload` puts one unit on the shelf. Both look and
then write, or lock the row first (MODE)."""
import os
import sys

import psycopg2
from flask import Flask, request

app = Flask(__name__)
lock = " FOR UPDATE" if os.environ.get("MODE") == "lock" else ""


def look(cursor):
    cursor.execute("SELECT stock FROM product WHERE id = 1" + lock)
    return cursor.fetchone()[0]


def write(cursor, stock):
    cursor.execute("UPDATE product SET stock = %s WHERE id = 1", (stock,))


@app.get("/")
def index():
    return "open"


@app.post("/buy")
def buy():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        cursor = connection.cursor()
        stock = look(cursor)
        if stock < 1:
            return "sold out", 409
        write(cursor, stock - 1)
        buyer = int(request.args["buyer"])
        cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (buyer,))
        connection.commit()
        return "bought"
    finally:
        connection.close()


def unload():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    write(cursor, look(cursor) + 1)
    connection.commit()


if sys.argv[1:] == ["unload"]:
    unload()
else:
    app.run(port=int(os.environ["PORT"]), threaded=True)
