"""Shops that do what shops should not, by MODE: crash in the middle of a checkout, early or late; refuse; hang; keep a lock of
their own; leave a transaction open; be slow with a row locked, after a while; take back an order after the answer; remember
what they have answered; tag each statement with its place in this file, and with a value that is never the same."""
import inspect
import os
import threading
import time
import uuid

import psycopg2
from flask import Flask, request

app = Flask(__name__)
mode = os.environ["MODE"]
mutex = threading.Lock()
kept = []
answers = {}
sold = 0


@app.get("/")
def index():
    return "open"


@app.post("/buy")
def buy():
    global sold
    if mode == "refuse":
        return "out of order", 500
    if mode == "put-off":
        return sell_and_take_back()
    if mode == "mutex":
        with mutex:
            return sell()
    if mode == "hang" and sold == 6:
        threading.Event().wait()
    buyer = request.args["buyer"]
    if mode == "remember" and buyer in answers:
        return answers[buyer]
    answer = answers[buyer] = sell()
    sold += 1
    if sold == {"crash": 6, "crash-late": 14}.get(mode):
        os._exit(7)
    return answer


def tagged(statement):
    if mode != "tagged":
        return statement
    line = inspect.currentframe().f_back.f_lineno
    return f"{statement} /*file='odd.py',line='{line}',traceparent='00-{uuid.uuid4().hex}-01'*/"


def sell_and_take_back():
    buyer = int(request.args["buyer"])
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (buyer,))
    cursor.execute("UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock > 0")
    is_sold = cursor.rowcount == 1
    connection.commit()
    connection.close()
    if is_sold:
        return "bought"
    threading.Thread(target=take_back, args=(buyer,)).start()
    return "sold out", 409


def take_back(buyer):
    time.sleep(0.02)
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.cursor().execute("DELETE FROM purchase WHERE buyer = %s", (buyer,))
    connection.commit()
    connection.close()


def sell():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    lock = " FOR UPDATE" if mode == "slow" else ""
    cursor.execute(tagged(f"SELECT stock FROM product WHERE id = 1{lock}"))
    (stock,) = cursor.fetchone()
    if mode == "slow" and sold >= 6:
        time.sleep(3)
    if stock < 1:
        connection.close()
        return "sold out", 409
    cursor.execute(tagged("UPDATE product SET stock = stock - 1 WHERE id = 1"))
    buyer = int(request.args["buyer"])
    cursor.execute(tagged("INSERT INTO purchase (buyer, product) VALUES (%s, 1)"), (buyer,))
    if mode == "open":
        kept.append(connection)
        return "bought"
    connection.commit()
    connection.close()
    return "bought"


app.run(port=int(os.environ["PORT"]), threaded=True)
