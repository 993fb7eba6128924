"""A small shop: log in, look at the cart, buy. It sells its last unit twice; with LOCK=1 in its environment it does not."""
import os
import secrets

import psycopg2
from flask import Flask, request, session

app = Flask(__name__)
app.secret_key = "not a secret"


@app.get("/")
def index():
    return "open"


@app.post("/login")
def login():
    session["buyer"] = int(request.form["name"].removeprefix("buyer"))
    return "welcome"


@app.get("/cart")
def cart():
    session["token"] = secrets.token_hex(8)
    return f'<form><input name="token" value="{session["token"]}"></form>'


@app.post("/buy")
def buy():
    if request.form["token"] != session.get("token"):
        return "who are you?", 403
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        cursor = connection.cursor()
        lock = " FOR UPDATE" if os.environ.get("LOCK") else ""
        cursor.execute(f"SELECT stock FROM product WHERE id = 1{lock}")
        (stock,) = cursor.fetchone()
        if stock < 1:
            return "sold out", 409
        cursor.execute("UPDATE product SET stock = %s WHERE id = 1", (stock - 1,))
        cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (session["buyer"],))
        connection.commit()
        return "bought"
    finally:
        connection.close()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
